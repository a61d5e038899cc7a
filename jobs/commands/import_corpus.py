"""`bioner import`: gold corpora of other forms, into the one that `evaluate` and `train` read."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bioner_core.gold.forms import FORMS
from bioner_core.gold.importing import ImportChoices, import_corpus
from bioner_core.gold.record import LOSSES, MisfitKind
from bioner_core.spoken import spoken_count
from jobs.options.common import Json, new_type_names
from jobs.terminal.console import only_results_on_stdout, print_result, say

HELP = """
Read a gold corpus of another form and write it as JSON lines, which `evaluate` and `train` read, with a report of all
that did not fit: offsets that do not match the text, discontinuous entities, crossing spans, unknown types.

\b
Examples:
  bioner import brat/ --output corpus.jsonl --label-set-output my_types.toml
  bioner import tasks.json --from label-studio --output corpus.jsonl --label-set my_types.toml
  bioner import ncbi.txt --output corpus.jsonl --map SpecificDisease=Disease --json

The form is told by the content; --from names it: brat, bioc, pubtator, conll, label-studio, doccano, or jsonl for what
`bioner export` writes. brat is a folder.
"""

Source = Annotated[Path, typer.Argument(help="File, or for brat a folder.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", help="Corpus to write, JSON lines.", show_default=False)]
Form = Annotated[str | None, typer.Option("--from", help=f"Form of the corpus: {', '.join(FORMS)}.")]
KnownTypes = Annotated[
    str | None, typer.Option("--label-set", help="Name or file of a label set: other types are left out and reported.")
]
MadeLabelSet = Annotated[
    Path | None, typer.Option("--label-set-output", help="Write a label set file with the types of the corpus.")
]
NewNames = Annotated[
    list[str] | None, typer.Option("--map", help="OLD=NEW: the corpus's type OLD becomes NEW. Repeatable.")
]
Lang = Annotated[str, typer.Option(help="Language of all texts (en, zh); unasked, it is told from the script.")]


def import_command(
    path: Source,
    output: Output,
    form: Form = None,
    label_set: KnownTypes = None,
    label_set_output: MadeLabelSet = None,
    new_names: NewNames = None,
    lang: Lang = "",
    as_json: Json = False,
) -> int:
    """Import a corpus; returns the exit code."""
    with only_results_on_stdout():
        choices = ImportChoices(
            form_name=form, new_names=new_type_names(new_names or ()), lang=lang, label_set=label_set
        )
        report = import_corpus(path, output, choices=choices, label_set_output=label_set_output).to_json()
        for one in report["shown_misfits"]:
            say(f"{one['kind']}: {one['where']}: {one['what']}")
    result = {"output": str(output), **report}
    print_result(result, as_json=as_json, show=lambda: _show(result, label_set_output))
    return 0


def _show(result: dict[str, Any], label_set_output: Path | None) -> None:
    types = ", ".join(f"{name} {count}" for name, count in result["types"].items())
    records, entities = spoken_count(result["records"], "record"), spoken_count(result["entities"], "entity")
    print(f"{result['output']}: {records}, {entities}: {types or 'none'}")
    for kind, count in result["misfits"].items():
        print(f"{_verb(MisfitKind(kind))}: {count} {kind}")
    if label_set_output is not None:
        print(f"{label_set_output}: a label set of these types; write their definitions before you train")


def _verb(kind: MisfitKind) -> str:
    if kind is MisfitKind.CROSSING:
        return "kept"
    return "left out" if kind in LOSSES else "passed over"
