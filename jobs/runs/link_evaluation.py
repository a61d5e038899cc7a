"""Links against the concepts of a gold corpus: on gold mentions, and on those that a model finds."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.finished import gold_document
from bioner_core.inference.annotation import Annotator
from bioner_core.labels.label_set import LabelSet
from bioner_core.mentions import Span
from jobs.terminal.result_console import result_console


def evaluate_gold_links(
    records: Sequence[GoldRecord], vocabularies: Sequence[str], *, types: Sequence[str]
) -> dict[str, Any]:
    """The scores of links on gold mentions, as a JSON object.

    Raises:
        ConfigurationError: a vocabulary is missing.
    """
    from bioner_core.concepts.vocabularies import open_vocabularies
    from bioner_core.evaluation.link_scores import evaluate_links
    from bioner_core.linking.linker import Linker

    linker = Linker(open_vocabularies(vocabularies))
    versions = {one.page.name: one.page.exact_version for one in linker.vocabularies}
    return {"vocabularies": versions} | evaluate_links(records, linker, types=types).to_json()


def evaluate_end_to_end(
    records: Sequence[GoldRecord],
    vocabularies: Sequence[str],
    *,
    annotator: Annotator,
    label_set: LabelSet,
    types: Sequence[str],
    document_pass: bool = True,
) -> dict[str, float | int]:
    """The scores of links on what a model finds and accepts, with the document pass or without, as a JSON object.

    Raises:
        ConfigurationError: a vocabulary is missing.
    """
    from bioner.model import Model
    from bioner_core.concepts.vocabularies import open_vocabularies
    from bioner_core.evaluation.link_scores import score_end_to_end
    from bioner_core.linking.linker import Linker

    annotated = Model(annotator, [label_set], document_pass=document_pass).annotate(map(gold_document, records))
    found = [[Span(m.start, m.end, m.type) for m in one.mentions if m.accepted] for one in annotated]
    return score_end_to_end(records, found, linker=Linker(open_vocabularies(vocabularies)), types=types).to_json()


def print_links(report: dict[str, Any]) -> None:
    """Print the scores of links for people."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("concepts of gold mentions")
    for name in ("accuracy", "precision", "of known", "mentions", "linked"):
        table.add_column(name, justify="right")
    _add(table, "all", report)
    for group in ("by_type", "by_method"):
        for name, one in report[group].items():
            _add(table, f"  {name}", one)
    console = result_console()
    console.print(table)
    console.print(f"{report['mentions_per_second']} mentions per second of processor time")
    if "end_to_end" in report:
        one = report["end_to_end"]
        console.print(f"found by the model and linked: P {one['precision']} R {one['recall']} F1 {one['f1']}")


def _add(table: Table, name: str, one: dict[str, Any]) -> None:
    ratios = (f"{one[key]:.4f}" for key in ("accuracy", "precision", "accuracy_of_known"))
    table.add_row(name, *ratios, str(one["mentions"]), str(one["linked"]))
