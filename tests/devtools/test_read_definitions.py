"""A model of prompt version 1 that is made to read definitions."""

import dataclasses
from pathlib import Path

import pytest
import torch

from bioner_core.errors import ModelError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import load_annotator
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.tag_choice import free_tags
from bioner_core.tagging.moves import FIRST_OPEN
from bioner_core.training.settings import SftSettings
from bioner_core.training.sft import SftRun
from devtools.read_definitions import read_definitions
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SftSettings:
    """Settings of a model of the first version, which is in `earlier`."""
    monkeypatch.setattr("bioner_core.training.corpora.free_tags", tuple)
    settings = tiny_settings(tmp_path, monkeypatch, definition_rank=0, varied_prompts=0.0)
    SftRun(settings, tmp_path / "earlier", log=lambda _: None).train()
    monkeypatch.undo()
    settings = tiny_settings(tmp_path, monkeypatch)
    write_card(dataclasses.replace(read_card(tmp_path / "earlier"), prompt_version="1"), tmp_path / "earlier")
    return settings


def test_training_goes_on_from_what_the_model_knows(tmp_path: Path, earlier: SftSettings) -> None:
    """Would catch rows that change places, free tags that are missing, or moves whose logits change their size."""
    label_set = load_label_set(earlier.corpora[0].label_set)
    length = read_definitions(tmp_path / "earlier", tmp_path / "reading", label_sets=[label_set])
    old, new = (load_model(tmp_path / name, precision="float32") for name in ("earlier", "reading"))
    known = len(old.card.tags)
    assert new.card.tags == (*old.card.tags, *free_tags())
    assert new.card.meanings.keys() == set(old.card.tags)
    assert torch.equal(new.network.added_rows[:known], old.network.added_rows[:known])
    assert torch.equal(new.network.added_rows[known + len(free_tags()) :], old.network.added_rows[known:])
    moves = FIRST_OPEN + known
    assert torch.allclose(new.network.move_rows[:moves], old.network.move_rows * length, atol=2e-3)
    assert not new.network.definition_queries.any()
    run = SftRun(
        dataclasses.replace(earlier, start_model=str(tmp_path / "reading"), varied_prompts=0.5),
        tmp_path / "next",
        log=lambda _: None,
    )
    run.train()
    assert run.settings.varied_prompts > 0
    assert load_model(tmp_path / "next", precision="float32").network.definition_queries.any()
    annotator = load_annotator([label_set], model=str(tmp_path / "next"), precision="float32")
    assert len(annotator.annotate([AnnotationRequest(SENTENCES[0][0], label_set.name)])) == 1


def test_a_model_that_reads_definitions_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch rows that are scaled twice."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=60)
    SftRun(settings, tmp_path / "new", log=lambda _: None).train()
    with pytest.raises(ModelError, match="already"):
        read_definitions(tmp_path / "new", tmp_path / "out", label_sets=[])
