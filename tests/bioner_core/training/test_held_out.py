"""Texts that one corpus holds out: in no corpus of the mix, told in log and card, and left alone in a replay."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import read_card, write_card
from bioner_core.training.corpora import build_mix
from bioner_core.training.held_out import HELD_OUT_TEXTS, LEFT_OUT, LEFT_OUT_IN_THIS_STAGE
from bioner_core.training.selector_settings import EarlierStage
from bioner_core.training.sentence_pools import texts_trained_on
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from bioner_core.training.unseen_sentences import unseen_sentences
from tests.bioner_core.training.training_samples import (
    OTHER_SENTENCES,
    SENTENCES,
    tiny_settings,
    train_once,
    write_corpus,
    write_settings,
)

TEXTS, OTHER_TEXTS = ({text for text, _ in some} for some in (SENTENCES, OTHER_SENTENCES))
MORE = "And there is more."
PART = 'name = "part"\n[[types]]\nname = "PART"\ntag = "beta"\nen = "part"\n'


def two_corpora(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> SftSettings:
    """A corpus that holds out its last five sentences, and one of another label set that has a record of all ten."""
    settings = tiny_settings(folder, monkeypatch, **changes)
    own = settings.corpora[0]
    write_corpus(Path(own.file), [*SENTENCES, *OTHER_SENTENCES])
    (folder / "part.toml").write_text(PART, encoding="utf-8")
    (folder / "part").mkdir(exist_ok=True)
    # One stands in a longer record, and one in full-width letters where the model reads plain ones.
    shared = [f"{text} {MORE}" if text.startswith("- The") else text for text, _ in OTHER_SENTENCES]
    texts = [*shared, *sorted(TEXTS)]
    other = write_corpus(folder / "part" / "other.jsonl", [(text.replace("at all", "ａｔ all"), ()) for text in texts])
    corpora = (replace(own, held_out=5, weight=0.5), CorpusMix(str(other), str(folder / "part.toml"), 0.5))
    return replace(settings, corpora=corpora)


def trained(settings: SftSettings, output: Path) -> list[str]:
    """Run to the end; the log."""
    log: list[str] = []
    SftRun(settings, output, log=log.append).train()
    return log


def test_what_one_corpus_holds_out_no_corpus_trains_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a selector that is trained and calibrated on sentences that the model learned under other types."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=600)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    ids = [run.trainable.vocabulary.unit_ids(text) for text in OTHER_TEXTS]
    held_out = {tuple(map(tuple, one)) for one in ids}

    def units(*, leave_out: bool) -> list[set[tuple[tuple[int, ...], ...]]]:
        mix = build_mix(settings, run.trainable.vocabulary, leave_out=leave_out)
        return [{one.source.unit_ids for one in corpus.examples if one.source} for corpus in mix]

    own, other = units(leave_out=True)
    assert (len(own), len(other)) == (len(SENTENCES), len(SENTENCES) + 1)
    assert not held_out & (own | other)
    own, other = units(leave_out=False)
    assert not held_out & own
    assert held_out <= other, "a run from before the rule is replayed as it was"


def test_log_and_card_tell_what_was_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch sentences that vanish without a word, and a later stage that passes for one that never saw them."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=300)
    log = trained(settings, tmp_path / "first")
    assert [line for line in log if "left out" in line] == [
        "  left out: 5 sentences that a corpus of this mix holds out"
    ]
    assert any("peak resident memory of this process: " in line and " MB" in line for line in log)
    training = read_card(tmp_path / "first").training
    assert training[HELD_OUT_TEXTS] == LEFT_OUT
    assert 50 < training["peak_memory_mb"] < 100_000
    card = read_card(tmp_path / "first")
    for before, words in ((card.training, LEFT_OUT), ({"steps": 1}, LEFT_OUT_IN_THIS_STAGE)):
        write_card(replace(card, training=dict(before)), tmp_path / "first")
        later = replace(settings, start_model=str(tmp_path / "first"), max_tokens=1)
        shutil.rmtree(tmp_path / "second", ignore_errors=True)
        trained(later, tmp_path / "second")
        assert read_card(tmp_path / "second").training[HELD_OUT_TEXTS] == words


def test_a_corpus_of_nothing_but_held_out_texts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a division by zero, or a corpus that is drawn again and again and has no example."""
    settings = two_corpora(tmp_path, monkeypatch)
    write_corpus(Path(settings.corpora[1].file), [(text, ()) for text in OTHER_TEXTS])
    with pytest.raises(
        ConfigurationError, match=r"held_out: every sentence of '.*other\.jsonl' stands in the held-out"
    ):
        trained(settings, tmp_path / "run")


def test_a_run_from_before_the_rule_goes_on_where_its_examples_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a resumed run with other batches than it began with, and one that is refused for nothing."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=300)

    def as_before(output: Path) -> None:
        progress = output / "checkpoint" / "progress.json"
        known = json.loads(progress.read_text(encoding="utf-8"))
        assert known.pop("made_from")
        progress.write_text(json.dumps(known), encoding="utf-8")

    trained(settings, tmp_path / "run")
    as_before(tmp_path / "run")
    with pytest.raises(ModelError, match="from before sentences that one corpus holds out were left out of all"):
        trained(settings, tmp_path / "run")
    write_corpus(Path(settings.corpora[1].file), [(text, ()) for text in TEXTS])
    trained(settings, tmp_path / "other")
    as_before(tmp_path / "other")
    trained(settings, tmp_path / "other")


@pytest.mark.parametrize("changed", ["corpus", "label set", "base", "lora_alpha", "start_model"])
def test_a_run_goes_on_from_what_it_began_with_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """Would catch a regenerated corpus, or other weights under the same path, that a resumed run takes for its own."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=60)
    trained(settings, tmp_path / "first")
    settings = replace(settings, start_model=str(tmp_path / "first"))
    trained(settings, tmp_path / "run")
    trained(replace(settings, learning_rate=0.5), tmp_path / "run")
    if changed == "corpus":
        write_corpus(Path(settings.corpora[1].file), [(text, ()) for text in TEXTS])
    elif changed == "label set":
        (tmp_path / "part.toml").write_text(PART.replace('en = "part"', 'en = "piece"'), encoding="utf-8")
    elif changed == "start_model":
        card = read_card(tmp_path / "first")
        write_card(replace(card, meanings=card.meanings | {"beta": ["another thing"]}), tmp_path / "first")
    elif changed == "base":
        monkeypatch.setattr("bioner_core.training.run_inputs.base_digest", lambda _: "another")
    else:
        monkeypatch.setattr("bioner_core.training.earlier_stage._check_scale", lambda *_: None)
        settings = replace(settings, lora_alpha=9)
    said = {"corpus": r"corpora 2: part/other\.jsonl", "label set": "corpora 2: label set part"}.get(changed, changed)
    with pytest.raises(ModelError, match=f"made from something else under these names: {said}; put back"):
        SftRun(settings, tmp_path / "run", log=lambda _: None)


def test_another_number_of_batches_per_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a refusal that names six causes and not the one that it has."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=60)
    trained(settings, tmp_path / "run")
    with pytest.raises(ModelError, match=r"batches per step \(gradient_accumulation times processes\)"):
        SftRun(replace(settings, gradient_accumulation=2), tmp_path / "run", log=lambda _: None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models are kept that several tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> tuple[SftSettings, LoadedModel]:
    """Settings of two corpora, and a model that was trained with them."""
    settings = two_corpora(tmp_path, monkeypatch, max_tokens=60)
    train_once(settings, tmp_path / "run", kept=kept / "run")
    return settings, load_model(tmp_path / "run", precision="float32")


def test_what_a_model_may_have_seen_follows_from_its_cards(
    tmp_path: Path, loaded: tuple[SftSettings, LoadedModel]
) -> None:
    """Would catch held-out sentences of an older model, or of an older stage, that count as never seen."""
    settings, model = loaded
    assert texts_trained_on(settings.corpora, model) == TEXTS | {MORE}
    for words in (LEFT_OUT_IN_THIS_STAGE, None):
        model.card.training[HELD_OUT_TEXTS] = words
        assert texts_trained_on(settings.corpora, model) == TEXTS | OTHER_TEXTS | {MORE}
    model.card.training[HELD_OUT_TEXTS] = LEFT_OUT
    earlier = EarlierStage(str(write_settings(tmp_path / "earlier.toml", settings)), 2)
    assert texts_trained_on(settings.corpora, model, earlier=[earlier]) == TEXTS | OTHER_TEXTS | {MORE}
    after = replace(earlier, held_out_texts_left_out=True)
    assert texts_trained_on(settings.corpora, model, earlier=[after]) == TEXTS | {MORE}


def test_a_text_seen_under_another_label_set_is_seen(loaded: tuple[SftSettings, LoadedModel]) -> None:
    """Would catch a comparison with tags in it: a text that one corpus trains on would be unseen in the other."""
    settings, model = loaded
    settings = replace(
        settings, batch_tokens=1, corpora=(replace(settings.corpora[0], weight=1e-9), settings.corpora[1])
    )
    model.card.training["batches"] = 3
    own, other = ({one.text for one in some} for some in unseen_sentences(settings, model))
    assert own == other - {MORE}
    assert len(other) == len(TEXTS | {MORE}) - 3


def test_where_all_was_seen_a_warning_names_the_corpus(loaded: tuple[SftSettings, LoadedModel]) -> None:
    """Would catch false positives of learned sentences that pass for those of new ones without a word."""
    settings, model = loaded
    model.card.training["batches"] = 50
    log: list[str] = []
    assert all(unseen_sentences(settings, model, log=log.append))
    assert len(log) == 2
    assert all(line.startswith("warning: ") and "none of them is unseen" in line for line in log)
