"""The command `bioner`: which commands there are. Each is imported only when it is called, so that help is quick."""

import sys
from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

import bioner_core
from jobs.terminal.console import only_results_on_stdout
from jobs.terminal.process import run_app, run_process

PROGRAM = "bioner"

COMMANDS = {
    "demo": (
        "Annotate the three files that come with bioner into a new folder, and show what was found: each command "
        "is printed before it is run, so that it can be typed again."
    ),
    "tag": "Tag a text: nested mentions as coloured lines below it.",
    "annotate": "Annotate literature dumps into a store.",
    "formats": "List the formats that are read, in the order in which they are tried, and how a file of each begins.",
    "select": (
        "Write the records of a list of PMIDs, taken from PubMed XML files at hand, as one PubMed XML file on standard "
        "output."
    ),
    "status": "Show the state of a store.",
    "retry": (
        "Annotate again the documents and sentences that were rejected because an actor died, a deadline passed, "
        "memory ran out or the model failed."
    ),
    "verify": "Check a whole store.",
    "mentions": "Show the mentions of a few documents.",
    "compact": (
        "Make a snapshot: the newest version of every document and its mentions in few large files, sorted, deletions "
        "applied."
    ),
    "query": "Ask the newest state of a store with SQL (DuckDB), read-only.",
    "show": (
        "Show the newest version of a document with its mentions as lines over the text: in the terminal, or as a page."
    ),
    "serve": (
        "Serve a store's snapshot as pages to a browser on this machine: search documents, look at mentions and "
        "concepts, ask questions, see runs and drift."
    ),
    "report": (
        "Report on the newest state of a store or on one run: counts, types, scores, nesting, rejects, top entities, "
        "newest documents, and how the last run differs from the one before."
    ),
    "export": (
        "Write the newest version of each document in another format: bioc-xml, bioc-json, pubtator, brat, jsonl, "
        "conll, kgx or neo4j."
    ),
    "publish": (
        "Publish the current snapshot, and the current links, as Delta tables: one folder per table under the target, "
        "one version of it per snapshot."
    ),
    "vocabulary": "Make, fetch, list and describe vocabularies to link to.",
    "link": "Link the mentions of a store to concepts, into the table `links`.",
    "import": (
        "Read a gold corpus of another form and write it as JSON lines, which `evaluate` and `train` read, with a "
        "report of all that did not fit: offsets that do not match the text, discontinuous entities, crossing spans, "
        "unknown types."
    ),
    "review": "Export the items that help training most, and import the corrections.",
    "evaluate": "Score a model on a gold corpus.",
    "models": "Fetch, list and describe models.",
    "nightly": "Add new files to a store, in their order.",
    "backfill": "Annotate every file of a folder or server.",
    "pool": "Run a pool of actors that many commands share.",
    "train": "Fine-tune models.",
    "bench": "Measure speed.",
}
"""The commands in the order of the help, with the first sentence of their own; `module_of` says which has each."""

_RENAMED = {"import": ("import_corpus", "import_command")}
"""Module and function of a command whose own name is a word of Python."""

_LOOKS: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name; one is imported when it is asked for."""

    def __init__(self) -> None:
        self._imported: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._imported:
            self._imported[name] = _imported(name)
        return self._imported[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        del self._imported[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class LazyGroup(TyperGroup):
    """A group of commands that knows their names without importing them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by `COMMANDS`: the base class would import all of them for their first sentences."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))  # as the base class counts
        rows = [(name, TyperCommand(name, help=said).get_short_help_str(limit)) for name, said in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def module_of(command: str) -> str:
    """The name of the module that has a command."""
    return f"jobs.commands.{_RENAMED.get(command, (command, command))[0]}"


def _imported(name: str) -> Any:
    with only_results_on_stdout():  # what a library prints when it is imported is no result
        module = import_module(module_of(name))
    shell = typer.Typer(**_LOOKS)
    if hasattr(module, "app"):
        shell.add_typer(module.app, name=name)
    else:
        shell.command(name, help=module.HELP)(getattr(module, _RENAMED.get(name, (name, name))[1]))
    return get_group(shell).commands[name]


app = typer.Typer(
    cls=LazyGroup,
    help="Nested biomedical entities from literature dumps, in English and Chinese, to Parquet.",
    **_LOOKS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {bioner_core.__version__}")
        raise typer.Exit


@app.callback()
def bioner(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Check what all verbs have in common."""
    if context.obj and context.invoked_subcommand != "annotate":
        raise typer.BadParameter(f"{' '.join(context.obj)}: only annotate takes options after a lone --.")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line in this process and return its exit code; errors are one line on standard error."""
    words, beam_options = split_beam_options(arguments)
    return run_app(app, words, name=PROGRAM, context=beam_options)


def main() -> NoReturn:
    """The console script."""
    words, beam_options = split_beam_options(sys.argv[1:])
    run_process(app, words, name=PROGRAM, context=beam_options)


def split_beam_options(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The words for bioner, and those after a lone `--`, which are for Beam. No words at all ask for help."""
    words = list(arguments) or ["--help"]
    if "--" not in words:
        return words, ()
    place = words.index("--")
    return words[:place], tuple(words[place + 1 :])


if __name__ == "__main__":
    main()
