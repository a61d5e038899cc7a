"""The loop of corrections on a tiny random model: its form alone, since such a model learns nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bioner
from bioner_core.evaluation.corpora import gold_sentences, read_corpus
from bioner_core.labels.label_set import load_label_set
from bioner_core.review.choice import Choice, ReviewSettings, choose_items
from bioner_core.store.document_mentions import DocumentMentions
from devtools.review_loop import LoopInputs, corrected, pool_documents, run_loop, train_by
from tests.bioner_core.training.training_samples import tiny_settings


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopInputs:
    """What the loop works on, with a tiny model that was trained on it."""
    settings = tiny_settings(tmp_path, monkeypatch, precision="float32", max_tokens=500)
    train_by(settings, tmp_path / "first")
    records = list(read_corpus(tmp_path / "corpus.jsonl"))
    return LoopInputs(
        settings=replace(settings, start_model=str(tmp_path / "first")),
        label_set=load_label_set(settings.corpora[0].label_set),
        pool=records,
        test=records[:5],
    )


def test_the_loop_runs_and_its_curator_marks_the_gold(inputs: LoopInputs, tmp_path: Path) -> None:
    """Catches a curator who marks other places than the gold's, and a figure that is missing."""
    records = inputs.pool
    points = run_loop(inputs, [0, 3], output=tmp_path / "loop", train=train_by)
    assert [(one.choice, one.sentences) for one in points] == [("none", 0), ("teaching", 3), ("random", 3)]
    assert all(one.f1 is not None and 0 <= one.f1 <= 1 for one in points)
    assert len(list(read_corpus(tmp_path / "loop" / "random_3.jsonl"))) == 3
    pool = [DocumentMentions(one, ()) for one in pool_documents(records)]
    items = choose_items(lambda: pool, ReviewSettings(count=99, choice=Choice.RANDOM))
    found = {(one.text, one.spans) for one in corrected(items, records)}
    assert found == {(one.text, one.spans) for one in gold_sentences(records)}


def test_a_model_that_finds_none_of_the_types_chooses_by_those_that_it_knows(
    inputs: LoopInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a loop without items: a model looked for types new to it, found none, and nothing was chosen."""
    load = bioner.load_model

    def blind_to_new_types(model: str, *, label_sets: Any = None, **options: Any) -> bioner.Model:
        loaded = load(model, label_sets=[inputs.label_set], **options)
        annotate = loaded.annotate
        if label_sets:
            blind = lambda documents: [replace(one, mentions=()) for one in annotate(documents)]  # noqa: E731
            monkeypatch.setattr(loaded, "annotate", blind)
        return loaded

    monkeypatch.setattr(bioner, "load_model", blind_to_new_types)
    points = run_loop(inputs, [2], output=tmp_path / "loop", train=train_by)
    assert [(one.choice, one.sentences) for one in points] == [("none", 0), ("teaching", 2), ("random", 2)]
