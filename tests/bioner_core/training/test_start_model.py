"""Later stages: a run that goes on from an earlier model, and what its card says of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bioner_core.errors import ModelError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import load_annotator
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE, files_digest
from bioner_core.models.model_card import read_card
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.settings import CorpusMix, SftSettings, Tuning
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings, train_once, write_corpus


def quiet_run(settings: SftSettings, output: Path) -> SftRun:
    """A run that says nothing."""
    return SftRun(settings, output, log=lambda _: None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models are kept that several tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> SftSettings:
    """Settings of a first stage whose model is in `first`."""
    settings = tiny_settings(tmp_path, monkeypatch)
    train_once(settings, tmp_path / "first", kept=kept / "first")
    return settings


@pytest.mark.parametrize("tuning", [Tuning.LORA, Tuning.FULL])
def test_a_stage_starts_with_the_weights_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuning: Tuning
) -> None:
    """Would catch a second stage that starts from the base, or with rows of one and adapters of the other."""
    settings = tiny_settings(tmp_path, monkeypatch, tuning=tuning)
    earlier = quiet_run(settings, tmp_path / "first")
    earlier.train()
    later = quiet_run(replace(settings, start_model=str(tmp_path / "first"), seed=5), tmp_path / "second")
    trained = {name: value for name, value in earlier.trainable.model.named_parameters() if value.requires_grad}
    assert len(trained) > 10
    for name, value in later.trainable.model.named_parameters():
        if name in trained:
            assert torch.allclose(value, trained[name], atol=2e-3), name
    later.train()
    assert later.progress.tokens >= settings.max_tokens


def test_the_card_names_the_stage_before(tmp_path: Path, first: SftSettings) -> None:
    """Would catch a model whose history ends at its last stage."""
    assert "start_model" not in read_card(tmp_path / "first").training
    quiet_run(replace(first, start_model=str(tmp_path / "first")), tmp_path / "second").train()
    training = read_card(tmp_path / "second").training
    assert training["start_model"] == "first"
    assert training["start_model_sha256"] == files_digest(tmp_path / "first")


def test_a_stage_resumes_from_its_own_checkpoint(tmp_path: Path, first: SftSettings) -> None:
    """Would catch a resumed second stage that takes up the first stage's weights again."""
    settings = replace(first, start_model=str(tmp_path / "first"))
    run = quiet_run(settings, tmp_path / "second")
    run.train()
    again = quiet_run(settings, tmp_path / "second")
    assert again.progress == run.progress
    assert torch.equal(again.trainable.model.move_rows, run.trainable.model.move_rows)


def test_a_stage_may_bring_tags_that_are_new(tmp_path: Path, first: SftSettings) -> None:
    """Would catch trained tags that lose their rows to new ones, or new ones that start from nothing."""
    own = tmp_path / "part.toml"
    own.write_text('name = "part"\n[[types]]\nname = "Part"\nen = "part of a body"\n', encoding="utf-8")
    corpus = write_corpus(
        tmp_path / "part.jsonl", [(text, ((0, 3, "Part"),)) for text, _ in SENTENCES if len(text) > 3]
    )
    settings = replace(
        first, start_model=str(tmp_path / "first"), corpora=(CorpusMix(str(corpus), str(own)),), max_tokens=500
    )
    earlier, run = read_card(tmp_path / "first"), quiet_run(settings, tmp_path / "second")
    rows = load_file(tmp_path / "first" / ROWS_FILE)["added_rows"].float()
    count = len(earlier.tags)
    assert run.trainable.vocabulary.tags[:count] == earlier.tags
    assert "".join(run.trainable.vocabulary.characters) == earlier.characters
    assert torch.allclose(run.trainable.model.added_rows[:count].float(), rows[:count])
    assert torch.allclose(run.trainable.model.added_rows[count + 1 :].float(), rows[count:])
    run.train()
    annotator = load_annotator([load_label_set(str(own))], model=str(tmp_path / "second"), precision="float32")
    [found] = annotator.annotate([AnnotationRequest(SENTENCES[0][0], "part")])
    assert isinstance(found, tuple)


def test_another_base_scheme_rank_or_scale_is_refused(tmp_path: Path, first: SftSettings) -> None:
    """Would catch weights that are put where they mean something else, or count twice as much as they did."""
    settings = replace(first, start_model=str(tmp_path / "first"))
    for changed, said in [
        (replace(settings, scheme=TagScheme.LINES), "its scheme"),
        (replace(settings, lora_rank=2), "another rank"),
        (replace(settings, lora_alpha=16), r"lora_alpha = 8, and this run has lora_alpha = 16; set lora_alpha = 8"),
        (replace(settings, start_model=str(tmp_path / "nowhere")), "nowhere"),
    ]:
        with pytest.raises(ModelError, match=said):
            quiet_run(changed, tmp_path / "second")
    card = tmp_path / "first" / "model.toml"
    card.write_text(card.read_text(encoding="utf-8").replace("7" * 64, "8" * 64), encoding="utf-8")
    with pytest.raises(ModelError, match="base weights"):
        quiet_run(settings, tmp_path / "second")


def test_a_damaged_stage_is_refused(tmp_path: Path, first: SftSettings) -> None:
    """Would catch a run that starts with half of the weights."""
    (tmp_path / "first" / ADAPTER_FOLDER / "adapter_model.safetensors").write_bytes(b"short")
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors is missing or damaged"):
        quiet_run(replace(first, start_model=str(tmp_path / "first")), tmp_path / "second")
