"""One model on every gold corpus, those that it was trained on and those that it never saw: a table.

    python -m devtools.cross_corpus --model runs/gemma --sentences 400
    python -m devtools.cross_corpus --model smollm2 --only "linnaeus test" --json

Sentences are drawn by a fixed seed; without --sentences the sets are whole. Each line is printed when its set is done.
"""

import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord, gold_sentences, read_corpus, with_types
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types
from bioner_core.inference.annotator import ModelAnnotator, load_annotator
from bioner_core.labels.label_set import load_label_set
from jobs.options.common import Json, Precision
from jobs.terminal.console import only_results_on_stdout, quiet_transformers, say
from jobs.terminal.process import run_process

SEED = 5

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """A gold corpus as it is scored: its files under the data folder, and its types in the words of a label set."""

    name: str
    files: tuple[str, ...]
    label_set: str
    is_unseen: bool = False
    new_names: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()


GOLD_SETS = (
    GoldSet("genia test", ("genia/test",), "genia"),
    GoldSet("bc5cdr test", ("bc5cdr/test",), "bc5cdr"),
    GoldSet("biored test", ("biored/test",), "pubtator"),
    # The public development set serves as the test set: labels of the test set are not public.
    GoldSet("cmeee dev", ("cmeee/dev",), "cmeee"),
    GoldSet("cmedqaner test", ("cmedqaner/test",), "cmedqaner"),
    GoldSet("cehrner dev", ("cehrner/dev",), "cehrner"),
    GoldSet("linnaeus", ("linnaeus/train",), "species", is_unseen=True),
    GoldSet("linnaeus as pubtator", ("linnaeus/train",), "pubtator", is_unseen=True, types=("Species",)),
    GoldSet("craft", ("craft/train", "craft/dev"), "craft", is_unseen=True),
    GoldSet("cmdd", ("cmdd/dev",), "cmeee", is_unseen=True, new_names={"symptom": "sym"}, types=("sym",)),
)
"""The bars of the model: what it is trained for, then corpora that nothing was ever trained or fitted on."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    gold_set: GoldSet
    run: EvaluationRun

    def to_json(self) -> dict[str, object]:
        """The set, and all that `bioner evaluate --json` says."""
        return {"set": self.gold_set.name, "unseen": self.gold_set.is_unseen, **self.run.to_json()}

    def __str__(self) -> str:
        found, kind = self.run.evaluation.strict, "unseen" if self.gold_set.is_unseen else ""
        scores = f"P {found.precision:6.1%}  R {found.recall:6.1%}  F1 {found.f1:6.1%}"
        without = self.run.without_selector
        plain = f"  without the selector {without.strict.f1:6.1%}" if without else ""
        sentences = f"  {self.run.sentences} sentences in {self.run.seconds:.0f} s"
        return f"{self.gold_set.name:<22} {kind:<7} {scores}{plain}{sentences}"


def gold_records(gold_set: GoldSet, data: Path, *, sentences: int | None) -> list[GoldRecord]:
    """The records of a set under the label set's names; with `sentences`, so many of them, each a record of its own."""
    records = [one for name in gold_set.files for one in read_corpus(data / f"{name}.jsonl.gz")]
    if gold_set.new_names:
        records = with_types(records, gold_set.new_names)
    if sentences is None:
        return records
    cut = gold_sentences(records)
    drawn = random.Random(SEED).sample(cut, min(sentences, len(cut)))  # noqa: S311 - sampling, not secrecy
    return [GoldRecord(str(index), records[0].lang, one.text, one.spans) for index, one in enumerate(drawn)]


def score_sets(
    gold_sets: Sequence[GoldSet], data: Path, *, annotator: ModelAnnotator, has_selector: bool, sentences: int | None
) -> Iterator[Line]:
    """Score the sets one after another."""
    for one in gold_sets:
        records = gold_records(one, data, sentences=sentences)
        types = scored_types(records, load_label_set(one.label_set), types=one.types)
        run = evaluate_annotator(annotator, records, label_set=one.label_set, types=types, has_selector=has_selector)
        yield Line(one, run)


def chosen_sets(only: Sequence[str]) -> list[GoldSet]:
    """The sets of these names, or all.

    Raises:
        ConfigurationError: there is no set of a name.
    """
    known = {one.name: one for one in GOLD_SETS}
    unknown = sorted(set(only) - set(known))
    if unknown:
        raise ConfigurationError(f"only: no set is called {unknown}; choose from {', '.join(known)}")
    return [known[name] for name in only] or list(GOLD_SETS)


@app.command()
def cross_corpus(
    model: Annotated[str, typer.Option(help="Name of a model that ships, or the folder of one.")] = "default",
    data: Annotated[Path, typer.Option(help="Folder of the gold corpora.")] = Path("../shared/data"),
    sentences: Annotated[int | None, typer.Option(help="So many sentences of each set. Default: all.", min=1)] = None,
    only: Annotated[list[str] | None, typer.Option(help="Name of a set; repeatable. Default: all.")] = None,
    no_selector: Annotated[bool, typer.Option("--no-selector", help="Accept every candidate.")] = False,
    precision: Precision = "auto",
    as_json: Json = False,
) -> int:
    """Score a model on every gold corpus; returns the exit code."""
    with only_results_on_stdout():
        sets = chosen_sets(only or ())
        quiet_transformers()
        label_sets = [load_label_set(name) for name in dict.fromkeys(one.label_set for one in sets)]
        annotator = load_annotator(label_sets, model=model, precision=precision, use_selector=not no_selector)
        lines = []
        for line in score_sets(
            sets, data, annotator=annotator, has_selector=annotator.has_selector, sentences=sentences
        ):
            say(str(line))
            lines.append(line)
    text = json.dumps([line.to_json() for line in lines]) if as_json else "\n".join(map(str, lines))
    print(text)
    return 0


if __name__ == "__main__":
    run_process(app, sys.argv[1:], name="cross_corpus")
