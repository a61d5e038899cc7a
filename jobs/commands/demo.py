"""`bioner demo`: the first steps on the documents that come with bioner, wherever it is installed."""

import shlex
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from bioner_core.errors import ConfigurationError
from jobs.options.annotation import Kind
from jobs.terminal.console import say

HELP = """
Annotate the three files that come with bioner into a new folder, and show what was found: each command is printed
before it is run, so that it can be typed again. The base model must have been pulled once (`bioner models pull`).

\b
Examples:
  bioner demo
  bioner demo --output my-demo --dry-run

--dry-run writes the documents alone, and prints the commands.
"""

_SAMPLES = ("pubmed26n0001.xml", "cnki_sample.txt", "pmc_article.xml")
_SHOWN = "pmc:PMC99000001"

Output = Annotated[Path, typer.Option("--output", help="New folder for documents, store and page.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Run nothing.")]


def demo(output: Output = Path("bioner-demo"), kind: Kind = "model", dry_run: DryRun = False) -> int:
    """Run the demo; returns the exit code of the first command that fails, or 0."""
    _write_samples(output)
    for words in _commands(output, kind):
        print(f"$ bioner {shlex.join(words)}", flush=True)
        if dry_run:
            continue
        done = subprocess.run([sys.executable, "-m", "jobs.main", *words], check=False)  # noqa: S603 - words of ours
        if done.returncode:
            say(f"the demo stops here; what it wrote is in {output}. Remove the folder before the next try")
            return done.returncode
    return 0


def _write_samples(output: Path) -> None:
    if output.exists():
        raise ConfigurationError(f"--output: {str(output)!r} is there already; name a new folder, or remove it")
    from bioner_core.export.output import new_folder  # what imports pyarrow is not for --help

    with new_folder(output) as folder:
        (folder / "inputs").mkdir()
        for name in _SAMPLES:
            content = resources.files("bioner_core.samples").joinpath(name).read_bytes()
            (folder / "inputs" / name).write_bytes(content)


def _commands(output: Path, kind: str) -> list[list[str]]:
    store = ["--store", str(output / "store")]
    page = str(output / "article.html")
    return [
        ["annotate", str(output / "inputs"), *store, *([] if kind == "model" else ["--annotator", kind])],
        ["compact", *store],
        ["mentions", *store, "--limit", "3"],
        ["show", _SHOWN, *store, "--html", page],
        ["query", *store, "--named", "top_entities"],
        # without a model nothing is found that could be reviewed
        *([["review", "export", *store, "--count", "10", "--output", str(output / "tasks.json")]] * (kind == "model")),
    ]
