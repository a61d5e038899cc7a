"""An evaluation as a table for people."""

from rich.console import Console
from rich.table import Table

from bioner_core.evaluation.report import Evaluation
from bioner_core.evaluation.run import EvaluationRun
from bioner_core.evaluation.scoring import Score


def print_scores(run: EvaluationRun) -> None:
    """Print overall scores, those of each type, and of the nested entities alone."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("strict, on offsets and type")
    for name in ("P", "R", "F1", "gold", "found"):
        table.add_column(name, justify="right")
    _add_evaluation(table, run.evaluation)
    if run.without_selector is not None:
        _add_score(table, "all, without the selector", run.without_selector.strict)
    if run.by_tag_score is not None:
        _add_score(table, "all, by tag score alone", run.by_tag_score)
    console = Console()
    console.print(table)
    low, high = run.evaluation.ci95
    console.print(f"95 % interval of F1: {low:.4f} to {high:.4f} (bootstrap over {run.evaluation.records} records)")
    console.print(f"{run.sentences} sentences, {run.sentences / max(run.seconds, 1e-9):.1f} a second")
    subsets = {"flat": run.evaluation.flat, "nested": run.evaluation.nested, "inside another": run.evaluation.inner}
    console.print("recall: " + ", ".join(f"{name} {one.recall:.4f} of {one.support}" for name, one in subsets.items()))
    counts = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in run.evaluation.mistakes.items())
    console.print(f"mistakes: {counts}")
    if run.reliability.calibration_error is not None:
        console.print(f"selector: expected calibration error {run.reliability.calibration_error:.4f}")
    if run.failed_sentences:
        console.print(f"{run.failed_sentences} sentences failed and count as empty")


def _add_evaluation(table: Table, found: Evaluation) -> None:
    _add_score(table, "all", found.strict)
    for name, score in found.by_type.items():
        _add_score(table, f"  {name}", score)
    _add_score(table, "nested only", found.nested.only)
    _add_score(table, "flat only", found.flat.only)
    _add_score(table, "inside another only", found.inner.only)
    _add_score(table, "boundaries, any type", found.boundary_only)
    _add_score(table, "type, any overlap", found.relaxed)
    for name, score in found.by_length.items():
        _add_score(table, f"  {name} unit{'s' * (name != '1')}", score)


def _add_score(table: Table, name: str, score: Score) -> None:
    ratios = (f"{value:.4f}" for value in (score.precision, score.recall, score.f1))
    table.add_row(name, *ratios, str(score.support), str(score.predicted))
