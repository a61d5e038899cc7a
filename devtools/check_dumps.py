"""The check over a folder of real dumps: `python -m devtools.check_dumps --shared FOLDER --store STORE`."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bioner_core.errors import EXIT_FAILED, InputError
from bioner_core.formats.inputs import public_name
from bioner_core.store.checks.verify import VerificationReport, verify_store
from bioner_core.store.layout import Store, input_key
from bioner_core.store.manifest import Counts, Manifest, total
from bioner_core.store.reading import manifests_of_input
from jobs.options.annotation import AnnotateConfig
from jobs.options.common import Json, takes_option_groups
from jobs.runs.session import annotate_inputs
from jobs.terminal.console import only_results_on_stdout, print_result, say_error
from jobs.terminal.process import run_process
from pipelines.summary import JobSummary

KINDS = (
    "pubmed_set",
    "pubmed_book",
    "pubmed_efetch_single",
    "pubmed_edge",
    "pubmed_update_pair",
    "pubmed_nbib_text",
    "jats",
    "jats_oai",
    "pmc_oa_package",
    "bioc",
    "pubtator_txt",
    "cnki_noteexpress",
    "cnki_refworks",
    "cnki_endnote",
    "cnki_estudy_txt",
    "wanfang_noteexpress",
    "cnki_endnote_xml",
    "endnote_xml_generic",
    "cnki_api_export",
    "cnki_other",
    "cnki_citespace_wos",
    "cnki_xlsx",
    "cssci_txt",
    "csl_tsv",
    "derived_encodings",
)
"""The folders of dumps in the formats that bioner reads."""

COUNTED_BY_HAND = {"endnote_xml_generic/zotero__endnotexml_test0.xml": 9}
"""The records of files for which the list gives no number."""

COUNTED_OTHERWISE = {
    # Each sub-article is a document of its own.
    "jats/jcore-base__PMC3747765.nxml.gz": 1 + 52,
    "jats/pubchunks__elife_2.xml": 1 + 2,
    "jats/pubchunks__f1000research_2.xml": 1 + 2,
    # The list counts a folder, a picture and the article.
    "pmc_oa_package/PMC10802347_repacked_nxml_gif.tar.gz": 1,
    # Records of another database in PubMed's form, which the list does not count: each is a reject here.
    "pubmed_nbib_text/zotero__nbib_test4.nbib": 3,
    "pubmed_nbib_text/zotero__nbib_test6.nbib": 4,
}
"""The records of files that the list counts in another way."""

HELP = """
Annotate a collection of real dumps and check what came of it: as many records of each file as its list counts, nothing
lost or doubled, and every mention's text at its place. Ends with 1 on any difference.

\b
Example:
  python -m devtools.check_dumps --shared FOLDER --store STORE --annotator null

FOLDER/dumps/MANIFEST.tsv lists each file with its kind, its sha256 and its number of records.
"""

Shared = Annotated[Path, typer.Option(help="Folder that holds dumps/MANIFEST.tsv.", file_okay=False)]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A dump as its collection lists it. `records` counts articles: deletions are no part of it."""

    path: Path
    kind: str
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What the store holds of one listed file."""

    listed: ListedFile
    counts: Counts

    @property
    def difference(self) -> int:
        """Documents and rejects of the file that are too many, or too few if negative."""
        return self.counts.records_in - self.counts.deleted - self.listed.records


def listed_files(shared: Path) -> list[ListedFile]:
    """The files of `KINDS` in the order of the list.

    Raises:
        InputError: there is no such list, or a line of it lacks a field.
    """
    dumps = shared / "dumps"
    try:
        with (dumps / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["kind"] in KINDS]
        return [ListedFile(dumps / row["file"], row["kind"], row["sha256"], _count(row)) for row in rows]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{dumps / 'MANIFEST.tsv'}: cannot be read ({error!r}); --shared names its parent") from error


def _count(row: dict[str, str]) -> int:
    known = COUNTED_BY_HAND | COUNTED_OTHERWISE
    return known[row["file"]] if row["file"] in known else int(row["records"])


def check_files(store: Store, files: Sequence[ListedFile]) -> list[FileCheck]:
    """Compare each listed file with the manifests of its very content.

    Raises:
        StoreError: a manifest is damaged or of a newer schema version.
    """
    return [FileCheck(one, total(manifest.counts for manifest in _manifests(store, one))) for one in files]


def _manifests(store: Store, one: ListedFile) -> list[Manifest]:
    return manifests_of_input(store, input_key(public_name(str(one.path)), one.sha256))


@app.command(help=HELP)
@takes_option_groups
def check_dumps(
    shared: Shared,
    config: AnnotateConfig,
    as_json: Json = False,
) -> int:
    """Annotate every listed file and check what came of it; returns the exit code."""
    with only_results_on_stdout():
        files = listed_files(shared)
        summary = annotate_inputs(replace(config, inputs=tuple(str(one.path) for one in files)))
        for failed in summary.failures:
            say_error(failed.failure)
        checks, report = check_files(config.store, files), verify_store(config.store)
    print_result(_as_object(checks, report, summary), as_json=as_json, show=lambda: _show(checks, report))
    different = any(one.difference for one in checks)
    return EXIT_FAILED if different or summary.shards_failed or not report.sound else 0


def _as_object(checks: Sequence[FileCheck], report: VerificationReport, summary: JobSummary) -> dict[str, object]:
    return {
        **summary.as_json(),
        "files": len(checks),
        "listed_records": sum(one.listed.records for one in checks),
        "different_files": {str(one.listed.path): one.difference for one in checks if one.difference},
        "sound": report.sound,
        "faults": list(report.faults),
    }


def _show(checks: Sequence[FileCheck], report: VerificationReport) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("kind")
    for name in ("files", "listed", "annotated", "unchanged", "rejected", "deleted", "mentions", "differ"):
        table.add_column(name, justify="right")
    for kind in KINDS:
        _add_row(table, kind, [one for one in checks if one.listed.kind == kind])
    _add_row(table, "all", checks)
    Console(width=100).print(table)
    for one in checks:
        if one.difference:
            print(f"DIFFERENT: {one.listed.path} lists {one.listed.records} records, {one.counts.accounts}")
    for fault in report.faults:
        print(f"fault: {fault}")
    print(f"store {'sound' if report.sound else 'NOT sound'}: every mention's text was compared with its passage")


def _add_row(table: Table, name: str, checks: Sequence[FileCheck]) -> None:
    counts = total(one.counts for one in checks)
    listed, different = sum(one.listed.records for one in checks), sum(one.difference != 0 for one in checks)
    numbers = (
        len(checks),
        listed,
        counts.annotated,
        counts.unchanged,
        counts.rejected,
        counts.deleted,
        counts.mentions,
        different,
    )
    table.add_row(name, *map(str, numbers))


if __name__ == "__main__":
    run_process(app, sys.argv[1:], name="check_dumps")
