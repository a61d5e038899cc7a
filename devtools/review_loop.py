"""What corrections bring: F1 after so many sentences that a scripted curator corrected, chosen or drawn at random.

    python -m devtools.review_loop --settings loop.toml --pool train.jsonl.gz --test test.jsonl.gz --output runs/loop

The settings are those of `bioner train sft` with one corpus, whose label set is the new one and whose file is replaced;
`start_model` is the model to begin with. The curator knows the gold of the pool and marks exactly that. Each figure is
of a model trained anew from `start_model`, with the same settings.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

import bioner
from bioner_core.documents import Document, Passage
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.evaluation.run import evaluate_annotator, scored_types
from bioner_core.gold.lines import write_lines
from bioner_core.gold.record import GoldRecord
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.mentions import Span
from bioner_core.review.agreement import agreement
from bioner_core.review.choice import Choice, ReviewSettings, choose_items
from bioner_core.review.item import ReviewItem
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.training.settings import SftSettings, read_settings
from jobs.terminal.console import only_results_on_stdout, quiet_transformers, say
from jobs.terminal.process import run_process

SOURCE = "pool"

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Train = Callable[[SftSettings, Path], None]
"""Trains a model by settings into a folder."""


@dataclass(frozen=True, slots=True)
class LoopPoint:
    """One figure of the loop: `f1` is None where the model knows no such types; `kappa` is model against curator."""

    choice: str
    sentences: int
    f1: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopInputs:
    """What the loop works on; equal inputs and seeds give equal choices."""

    settings: SftSettings
    label_set: LabelSet
    pool: Sequence[GoldRecord]
    test: Sequence[GoldRecord]
    seed: int = 13


def run_loop(inputs: LoopInputs, counts: Sequence[int], *, output: Path, train: Train) -> list[LoopPoint]:
    """The figures: before any correction, then for each count and each way to choose.

    Raises:
        ConfigurationError: the settings have several corpora or no model to start with.
    """
    settings = inputs.settings
    if len(settings.corpora) != 1 or not settings.start_model:
        raise ConfigurationError("settings: give one corpus, and start_model: the loop corrects what a model said")
    points = [LoopPoint("none", 0, _f1(inputs, settings.start_model), None)]
    found = _annotated_pool(inputs)
    output.mkdir(parents=True, exist_ok=True)
    for count in (one for one in counts if one):
        for choice in Choice:
            chosen = choose_items(lambda: found, ReviewSettings(count=count, choice=choice, seed=inputs.seed))
            records = corrected(chosen, inputs.pool)
            name = f"{choice}_{count}"
            corpus = output / f"{name}.jsonl"
            write_lines(records, corpus)
            mix = replace(settings.corpora[0], file=str(corpus), held_out=0)
            train(replace(settings, corpora=(mix,)), output / name)
            pairs = [(item.as_record(), record) for item, record in zip(chosen, records, strict=True)]
            points.append(LoopPoint(choice, len(records), _f1(inputs, str(output / name)), agreement(pairs).kappa))
            say(str(points[-1]))
    return points


def corrected(items: Sequence[ReviewItem], pool: Sequence[GoldRecord]) -> list[GoldRecord]:
    """What a curator who knows the gold makes of items of `pool_documents`."""
    by_id = {_doc_id(number): record for number, record in enumerate(pool)}
    return [_corrected(item, by_id[item.document.doc_id]) for item in items]


def pool_documents(pool: Sequence[GoldRecord]) -> list[Document]:
    """The texts of a pool as documents without their gold."""
    return [
        Document(_doc_id(number), SOURCE, 1, one.lang, (Passage("text", "", one.lang, one.text),))
        for number, one in enumerate(pool)
    ]


def _corrected(item: ReviewItem, gold: GoldRecord) -> GoldRecord:
    start = int(item.item_id.rpartition("-c")[2])
    end = start + len(item.text)
    inside = (one for one in gold.spans if start <= one.start and one.end <= end)
    spans = frozenset(Span(one.start - start, one.end - start, one.type) for one in inside)
    return GoldRecord(item.item_id, gold.lang, item.text, spans)


def _doc_id(number: int) -> str:
    return f"{SOURCE}:{number}"


def _annotated_pool(inputs: LoopInputs) -> list[DocumentMentions]:
    """The pool as the first model sees it: with the new types if it finds any of them, else with those it knows.

    A model that was not trained on a type may look for it and find nothing, and nothing is near no threshold.
    """
    settings = inputs.settings
    try:
        model = bioner.load_model(settings.start_model, label_sets=[inputs.label_set], precision=settings.precision)
        found = _annotated(model, inputs.pool)
        if any(one.mentions for one in found):
            return found
        reason = "it finds none of them"
    except (ConfigurationError, ModelError) as error:
        reason = str(error)
    say(f"{settings.start_model} is of no use for these types ({reason}); items are chosen by those that it knows")
    return _annotated(bioner.load_model(settings.start_model, precision=settings.precision), inputs.pool)


def _annotated(model: bioner.Model, pool: Sequence[GoldRecord]) -> list[DocumentMentions]:
    found = model.annotate(pool_documents(pool))
    return [DocumentMentions(one.document, one.mentions, model.fingerprint) for one in found]


def _f1(inputs: LoopInputs, model_name: str) -> float | None:
    label_set, precision = inputs.label_set, inputs.settings.precision
    try:
        model = bioner.load_model(model_name, label_sets=[label_set], precision=precision)
    except (ConfigurationError, ModelError) as error:
        say(f"{model_name} cannot look for these types: {error}")
        return None
    run = evaluate_annotator(
        model.annotator,
        inputs.test,
        label_set=label_set.name,
        types=scored_types(inputs.test, label_set),
        has_selector=getattr(model.annotator, "has_selector", False),
    )
    return run.evaluation.strict.f1


def train_by(settings: SftSettings, output: Path) -> None:
    """Fine-tune as `bioner train sft` does."""
    from bioner_core.training.sft import SftRun

    SftRun(settings, output, log=say).train()


@app.command()
def review_loop(
    settings: Annotated[Path, typer.Option(help="Settings of `bioner train sft`, with one corpus and start_model.")],
    pool: Annotated[Path, typer.Option(help="Gold corpus that the curator knows.")],
    test: Annotated[Path, typer.Option(help="Gold corpus to score on.")],
    output: Annotated[Path, typer.Option(help="Folder for corpora and models.")],
    counts: Annotated[str, typer.Option(help="Corrected sentences, with commas.")] = "100,200",
    pool_records: Annotated[int, typer.Option(help="Records of the pool.", min=1)] = 1000,
    test_records: Annotated[int, typer.Option(help="Records of the test set.", min=1)] = 300,
) -> int:
    """Run the loop and print its figures as JSON; returns the exit code."""
    with only_results_on_stdout():
        quiet_transformers()
        chosen, _ = read_settings(settings)
        inputs = LoopInputs(
            settings=chosen,
            label_set=load_label_set(chosen.corpora[0].label_set),
            pool=list(islice(read_corpus(pool), pool_records)),
            test=list(islice(read_corpus(test), test_records)),
        )
        numbers = [int(one) for one in counts.split(",")]
        points = run_loop(inputs, numbers, output=output, train=train_by)
    print(json.dumps([asdict(one) for one in points]))
    return 0


if __name__ == "__main__":
    run_process(app, sys.argv[1:], name="review_loop")
