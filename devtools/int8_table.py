"""What int8 does to a model's answers: both precisions on the same sentences in one run, one thread.

    python -m devtools.int8_table --data ../shared/data --sentences 200
    python -m devtools.int8_table --model runs/gemma --only "genia test"

Says a line per corpus, with processor seconds, and prints the table as the model's card takes it: `auto` stands for
int8 only where every corpus of it loses at most 0.3 points of F1 and at most 2 % of the mentions change.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tomli_w
import torch
import typer

from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.run import evaluate_annotator, scored_types
from bioner_core.inference.annotation import AnnotationRequest, Annotator, RowError, RowResult
from bioner_core.inference.annotator import load_annotator
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.directory import DEFAULT_MODEL
from bioner_core.models.model_card import F1_LOST, MENTIONS_CHANGED
from bioner_core.models.precision import FLOAT32, INT8
from devtools.cross_corpus import GoldSet, chosen_sets, gold_records
from jobs.terminal.console import only_results_on_stdout, quiet_transformers, say
from jobs.terminal.process import run_process

CORPORA = ("genia test", "bc5cdr test", "cmeee dev")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Mention = tuple[str, int, int, str]
"""A sentence's text, and the offsets and the type of what was accepted in it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one precision said on a corpus: F1 in percent, the accepted mentions, and processor seconds."""

    f1: float
    mentions: frozenset[Mention]
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both precisions on one corpus."""

    corpus: str
    sentences: int
    float32: Answers
    int8: Answers

    @property
    def mentions_changed(self) -> float:
        """Mentions lost and new ones together, as a share of float32's; two answers without any are the same."""
        changed = self.float32.mentions ^ self.int8.mentions
        return len(changed) / max(len(self.float32.mentions), 1)

    @property
    def card_row(self) -> dict[str, float]:
        """The row of the model's card."""
        lost = self.float32.f1 - self.int8.f1
        return {F1_LOST: round(lost, 2), MENTIONS_CHANGED: round(self.mentions_changed, 4)}

    def __str__(self) -> str:
        ratio = self.float32.seconds / self.int8.seconds
        scores = f"F1 {self.float32.f1:.2f} -> {self.int8.f1:.2f}"
        changed = f"{len(self.float32.mentions)} mentions, {self.mentions_changed:.1%} changed"
        return f"{self.corpus}: {self.sentences} sentences  {scores}  {changed}  float32 / int8 seconds {ratio:.2f}"


class Listening:
    """An annotator that remembers what another one accepts."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator
        self.fingerprint = annotator.fingerprint
        self.accepted: set[Mention] = set()

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Pass a batch on, and its answers back."""
        results = self._annotator.annotate(requests)
        for request, result in zip(requests, results, strict=True):
            if not isinstance(result, RowError):
                self.accepted |= {(request.text, one.start, one.end, one.type) for one in result if one.accepted}
        return results


def compare(
    gold_sets: Sequence[GoldSet], load: Callable[[GoldSet, str], Annotator], *, data: Path, sentences: int
) -> Iterator[Comparison]:
    """Both precisions on each corpus; `load` makes the annotator for a corpus and a precision."""
    for one in gold_sets:
        records = gold_records(one, data, sentences=sentences)
        answers = {name: _answers(load(one, name), records, one) for name in (FLOAT32, INT8)}
        yield Comparison(one.name, len(records), answers[FLOAT32], answers[INT8])


def _answers(annotator: Annotator, records: Sequence[GoldRecord], gold_set: GoldSet) -> Answers:
    listening = Listening(annotator)
    types = scored_types(records, load_label_set(gold_set.label_set), types=gold_set.types)
    started = time.process_time()
    run = evaluate_annotator(listening, records, label_set=gold_set.label_set, types=types, has_selector=False)
    seconds = time.process_time() - started
    return Answers(100 * run.evaluation.strict.f1, frozenset(listening.accepted), seconds)


@app.command()
def int8_table(
    data: Annotated[Path, typer.Option(help="Folder of the gold corpora.")] = Path("../shared/data"),
    model: Annotated[str, typer.Option(help="Name of a model that ships, or the folder of one.")] = DEFAULT_MODEL,
    only: Annotated[list[str] | None, typer.Option(help="A set of devtools.cross_corpus; repeatable.")] = None,
    sentences: Annotated[int, typer.Option(help="Sentences per corpus, drawn by a fixed seed.", min=1)] = 200,
) -> int:
    """Compare int8 with float32; returns the exit code."""
    torch.set_num_threads(1)
    quiet_transformers()

    def load(gold_set: GoldSet, precision: str) -> Annotator:
        return load_annotator([load_label_set(gold_set.label_set)], model=model, precision=precision, device="cpu")

    table: dict[str, dict[str, float]] = {}
    with only_results_on_stdout():
        for one in compare(chosen_sets(only or CORPORA), load, data=data, sentences=sentences):
            say(str(one))
            table[one.corpus] = one.card_row
    print(tomli_w.dumps({"int8": table}), end="")
    return 0


if __name__ == "__main__":
    run_process(app, sys.argv[1:], name="int8_table")
