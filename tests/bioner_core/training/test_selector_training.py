"""Training the selector from end to end on a model that a test can train."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import load_annotator
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.directory import SELECTOR_FILE
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import read_card
from bioner_core.selector.calibration import F1_TO_SPARE
from bioner_core.selector.samples import SpanSamples, decoded_samples
from bioner_core.training.collected_candidates import collect_candidates
from bioner_core.training.selector_settings import EarlierStage, OtherText, SelectorSettings, read_selector_settings
from bioner_core.training.selector_training import train_selector
from bioner_core.training.settings import CorpusMix, SftSettings, read_settings
from bioner_core.training.unseen_sentences import unseen_sentences
from tests.bioner_core.training.training_samples import (
    OTHER_SENTENCES,
    SENTENCES,
    tiny_settings,
    train_once,
    write_corpus,
)


def write_settings(path: Path, settings: SftSettings) -> Path:
    """Settings of fine-tuning as the file that a user would have."""
    plain = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name != "corpora"}
    corpora = [{one.name: getattr(corpus, one.name) for one in fields(corpus)} for corpus in settings.corpora]
    path.write_text(tomli_w.dumps(plain | {"scheme": str(settings.scheme), "corpora": corpora}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models are kept that several tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> tuple[SftSettings, Path]:
    """Settings and folder of a model that was trained for a few steps."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=8_000, learning_rate=0.01)
    train_once(settings, tmp_path / "run", kept=kept / "trained")
    return settings, tmp_path


def test_a_trained_selector_is_stored_used_and_explained(trained: tuple[SftSettings, Path]) -> None:
    """Would catch a selector that is trained but not loaded, or thresholds that no label set finds again."""
    settings, folder = trained
    own = settings.corpora[0].label_set
    chosen = SelectorSettings(
        sft_settings=str(write_settings(folder / "sft.toml", settings)),
        development={own: str(write_corpus(folder / "dev.jsonl", OTHER_SENTENCES))},
        rendered=10,
        decoded=10,
        calibration=10,
        epochs=2,
    )
    report = train_selector(folder / "run", chosen, log=lambda _: None)
    name = load_label_set(own).name
    card = read_card(folder / "run")
    assert set(report.thresholds) <= {one.tag for one in load_label_set(own).types}
    assert (folder / "run" / SELECTOR_FILE).is_file()
    assert (card.type_thresholds, card.common_threshold) == (report.thresholds, report.common_threshold)
    assert card.tag_thresholds == report.tag_thresholds
    [without_f1] = report.f1_without.values()
    assert report.f1_by_tag_score[name] >= without_f1 - F1_TO_SPARE
    requests = [AnnotationRequest(text, name) for text, _ in SENTENCES]
    with_selector = load_annotator([load_label_set(own)], model=str(folder / "run"), precision="float32")
    without = load_annotator([load_label_set(own)], model=str(folder / "run"), precision="float32", use_selector=False)
    assert with_selector.fingerprint != without.fingerprint
    for found, plain in zip(with_selector.annotate(requests), without.annotate(requests), strict=True):
        assert isinstance(found, tuple)
        assert isinstance(plain, tuple)
        assert [(one.start, one.end, one.type) for one in found] == [(one.start, one.end, one.type) for one in plain]
        tags = {one.name: one.tag for one in load_label_set(own).types}
        limits = {one: card.type_thresholds.get(tag, card.common_threshold) for one, tag in tags.items()}
        assert all(one.accepted == (one.selector_score >= limits[one.type]) for one in found)
        assert all(one.accepted for one in plain)


def test_sentences_that_were_trained_on_are_not_unseen(trained: tuple[SftSettings, Path]) -> None:
    """Would catch a replay that shuffles otherwise than training did: the model's false positives would be tame.

    Each sentence stands in the corpus four times, so one that was seen is gone with its copies.
    """
    settings, folder = trained
    settings = replace(settings, batch_tokens=1)
    loaded = load_model(folder / "run", precision="float32")
    unseen = {}
    for batches in range(3):
        loaded.card.training["batches"] = batches
        unseen[batches] = {one.text for one in unseen_sentences(settings, loaded)[0]}
    first, second = unseen[0] - unseen[1], unseen[0] - unseen[2]
    assert len(unseen[0]) == len(SENTENCES)
    assert len(first) == 1
    assert first <= second
    other = replace(settings, seed=settings.seed + 5)
    earlier = EarlierStage(str(write_settings(folder / "earlier.toml", other)), 2)
    loaded.card.training["batches"] = 1
    with_earlier = {one.text for one in unseen_sentences(settings, loaded, earlier=[earlier])[0]}
    loaded.card.training["batches"] = 2
    assert with_earlier == unseen[1] & {one.text for one in unseen_sentences(other, loaded)[0]}


def test_calibration_on_unseen_sentences_leaves_the_rest_to_training(
    trained: tuple[SftSettings, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch calibration on sentences that the selector was trained on, where it is too sure of itself."""
    settings, folder = trained
    own = settings.corpora[0].label_set
    texts: dict[int, set[str]] = {}

    def note(sentences: Sequence[GoldSentence], *others: Any, **named: Any) -> SpanSamples:
        texts[len(texts)] = {one.text for one in sentences}
        return decoded_samples(sentences, *others, **named)

    monkeypatch.setattr("bioner_core.training.selector_candidates.decoded_samples", note)
    chosen = SelectorSettings(
        sft_settings=str(write_settings(folder / "sft.toml", replace(settings, batch_tokens=1))),
        development={},
        calibrate_on_unseen=(own,),
        rendered=1,
        decoded=10,
        calibration=3,
        epochs=1,
    )
    train_selector(folder / "run", chosen, log=lambda _: None)
    assert texts[0]
    assert not texts[0] & texts[1]


def test_unusable_settings_are_named(tmp_path: Path) -> None:
    """Would catch a misspelt field that is ignored, or a count of nothing."""
    path = tmp_path / "selector.toml"
    path.write_text('sft_settings = "a"\ndevelopmnt = {}\n')
    with pytest.raises(ConfigurationError, match="developmnt"):
        read_selector_settings(path)
    path.write_text('sft_settings = "a"\ndevelopment = {}\nepochs = 0\n')
    with pytest.raises(ConfigurationError, match="epochs"):
        read_selector_settings(path)
    path.write_text('sft_settings = "a"\ncalibrate_on_unseen = ["genia"]\n[development]\ngenia = "b"\n')
    with pytest.raises(ConfigurationError, match="calibrate_on_unseen"):
        read_selector_settings(path)
    with pytest.raises(ConfigurationError, match="missing"):
        read_selector_settings(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('seed = "x"', "seed is str, not int"),
        ('threads = "2"', "threads is str, not int"),
        ("epochs = 1.5", "epochs is float, not int"),
        ('train_on_held_out = "no"', "train_on_held_out is str, not bool"),
        ('calibrate_on_unseen = "genia"', "calibrate_on_unseen is no list"),
        ('open_biases = ["0.0"]', "open_biases is str, not float"),
        ('earlier = [{ sft_settings = "a", batches = "9" }]', "earlier.batches is str, not int"),
        ("sft_settings = 3", "sft_settings is int, not str"),
    ],
)
def test_settings_of_another_kind_are_refused(tmp_path: Path, line: str, said: str) -> None:
    """Catches a value that nobody meant: "no" for true, the letters of a name for a list, half an epoch."""
    path = tmp_path / "selector.toml"
    given = {"sft_settings": 'sft_settings = "a"', "development": "development = {}", line.split(" ")[0]: line}
    path.write_text("\n".join(given.values()), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        read_selector_settings(path)


def test_candidates_that_are_kept_give_the_same_selector(trained: tuple[SftSettings, Path], tmp_path: Path) -> None:
    """Would catch kept candidates that lose a sentence, a score or their corpus, and a model that is asked again."""
    settings, folder = trained
    chosen = SelectorSettings(
        sft_settings=str(write_settings(folder / "sft.toml", settings)),
        development={settings.corpora[0].label_set: str(write_corpus(folder / "dev.jsonl", OTHER_SENTENCES))},
        rendered=2,
        decoded=2,
        epochs=1,
    )
    first = train_selector(folder / "run", chosen, log=lambda _: None, candidates=tmp_path / "kept")
    lines: list[str] = []
    again = train_selector(folder / "run", chosen, log=lines.append, candidates=tmp_path / "kept")
    assert again.f1_without == first.f1_without
    assert again.thresholds == first.thresholds
    assert not [line for line in lines if "opening bias" in line]
    [kept] = (tmp_path / "kept").iterdir()
    kept.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="holds no candidates, or is damaged"):
        train_selector(folder / "run", chosen, log=lines.append, candidates=tmp_path / "kept")


@pytest.fixture
def of_two_corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> SelectorSettings:
    """Settings of a selector for a model in `run` that was trained on two corpora of one label set."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=3_000, learning_rate=0.01)
    own = settings.corpora[0].label_set
    corpora = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        end = [
            # No bias gains anything on the first corpus, which has no mentions: alone it would choose 0.
            (f"{name}{number} {text}", tuple((start + 3, end + 3, one) for start, end, one in spans if name == "b"))
            for number in range(4)
            for text, spans in SENTENCES
        ]
        file = write_corpus(tmp_path / name / "train.jsonl", [*SENTENCES, *end])
        corpora.append(CorpusMix(str(file), own, 0.5, held_out=len(end)))
    train_once(replace(settings, corpora=tuple(corpora)), tmp_path / "run", kept=kept / "two")
    (tmp_path / "c").mkdir()
    other = [(f"c {text}", tuple((start + 2, end + 2, one) for start, end, one in spans)) for text, spans in SENTENCES]
    return SelectorSettings(
        sft_settings=str(write_settings(tmp_path / "sft.toml", replace(settings, corpora=tuple(corpora)))),
        development={},
        train_on_held_out=True,
        open_biases=(0.0, -1.0),
        rendered=4,
        decoded=4,
        epochs=1,
        other_text=(
            OtherText(str(write_corpus(tmp_path / "c" / "dev.jsonl", other)), own, ("ALPHA", "BETA", "GAMMA")),
        ),
    )


def test_a_second_training_gives_the_selector_of_the_first(tmp_path: Path, of_two_corpora: SelectorSettings) -> None:
    """Would catch a second run that decodes with biases which the first one left in the card."""
    chosen = replace(of_two_corpora, open_biases=(4.0,))
    found = []
    for _ in range(2):
        report = train_selector(tmp_path / "run", chosen, log=lambda _: None)
        assert read_card(tmp_path / "run").open_bias == {"tiny": 4.0}
        found.append((report, load_file(tmp_path / "run" / SELECTOR_FILE)))
    (first, weights), (second, others) = found
    assert first == second
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_the_order_of_corpora_changes_no_answer(tmp_path: Path, of_two_corpora: SelectorSettings) -> None:
    """Would catch a label set whose bias and tag threshold are those of the corpus that is named last."""
    train_selector(tmp_path / "run", of_two_corpora, log=lambda _: None, candidates=tmp_path / "kept")
    card, weights = read_card(tmp_path / "run"), load_file(tmp_path / "run" / SELECTOR_FILE)
    pieces = [load_file(file) for file in sorted((tmp_path / "kept").iterdir())]
    biases = set()
    for file in (tmp_path / "kept").iterdir():
        with safe_open(file, framework="pt") as opened:
            biases.add(json.loads(opened.metadata()["about"])["bias"])
    assert biases == {card.open_bias["tiny"]}, "every piece of a label set is decoded with its bias"
    settings, _ = read_settings(Path(of_two_corpora.sft_settings))
    assert [chosen_alone(one, of_two_corpora, tmp_path) for one in settings.corpora] == [0.0, -1.0], "the test is blind"
    write_settings(Path(of_two_corpora.sft_settings), replace(settings, corpora=settings.corpora[::-1]))
    train_selector(tmp_path / "run", of_two_corpora, log=lambda _: None, candidates=tmp_path / "swapped")
    assert read_card(tmp_path / "run") == card
    again = load_file(tmp_path / "run" / SELECTOR_FILE)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    swapped = [load_file(file) for file in sorted((tmp_path / "swapped").iterdir())]
    for one, other in zip(pieces, swapped, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def chosen_alone(corpus: CorpusMix, settings: SelectorSettings, folder: Path) -> float:
    """The bias that a label set would have if this were its only corpus."""
    sft, _ = read_settings(Path(settings.sft_settings))
    alone = write_settings(folder / "alone.toml", replace(sft, corpora=(corpus,)))
    chosen = replace(settings, sft_settings=str(alone), other_text=())
    (found,) = collect_candidates(folder / "run", chosen, log=lambda _: None)
    return found.bias


def test_an_interrupted_label_set_goes_on_with_its_bias(tmp_path: Path, of_two_corpora: SelectorSettings) -> None:
    """Would catch the second corpus of an interrupted run decoded with a bias that it chooses alone."""
    kept = tmp_path / "kept"
    whole = collect_candidates(tmp_path / "run", of_two_corpora, log=lambda _: None, keep_in=kept)
    (kept / "tiny-a.safetensors").unlink()
    (kept / "tiny-c.safetensors").unlink()
    again = collect_candidates(tmp_path / "run", of_two_corpora, log=lambda _: None, keep_in=kept)
    assert [(one.corpus, one.bias, one.development_f1) for one in again] == [
        (one.corpus, one.bias, one.development_f1) for one in whole
    ]


def test_candidates_of_other_contents_are_refused(tmp_path: Path, of_two_corpora: SelectorSettings) -> None:
    """Would catch candidates of a corpus or of settings that have changed under their names."""
    kept = tmp_path / "kept"
    collect_candidates(tmp_path / "run", of_two_corpora, log=lambda _: None, keep_in=kept)
    sft, corpus = Path(of_two_corpora.sft_settings), tmp_path / "b" / "train.jsonl"
    for file, changed in (
        (sft, sft.read_text(encoding="utf-8").replace("held_out = 20", "held_out = 19")),
        (corpus, corpus.read_text(encoding="utf-8").replace("gamma", "delta")),
        (Path(of_two_corpora.other_text[0].file), (tmp_path / "a" / "train.jsonl").read_text(encoding="utf-8")),
    ):
        before = file.read_text(encoding="utf-8")
        assert changed != before
        file.write_text(changed, encoding="utf-8")
        with pytest.raises(ModelError, match="under other settings"):
            collect_candidates(tmp_path / "run", of_two_corpora, log=lambda _: None, keep_in=kept)
        file.write_text(before, encoding="utf-8")
    assert collect_candidates(tmp_path / "run", of_two_corpora, log=lambda _: None, keep_in=kept)
