"""What a selector is trained and calibrated on: nothing that was trained on, nothing under two names."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.training.collected_candidates import collect_candidates
from bioner_core.training.held_out import HELD_OUT_TEXTS
from bioner_core.training.selector_settings import OtherText, SelectorSettings
from bioner_core.training.sentence_pools import Pool, sentence_pools
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import (
    OTHER_SENTENCES,
    SENTENCES,
    tiny_settings,
    write_corpus,
    write_settings,
)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SftSettings, LoadedModel]:
    """Two corpora of one label set with other texts, each in a folder of its own, and a model trained with them."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=60)
    own = settings.corpora[0].label_set
    corpora = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        end = [(f"{name} {text}", ()) for text, _ in SENTENCES]
        file = write_corpus(tmp_path / name / "train.jsonl", [*SENTENCES, *end])
        corpora.append(CorpusMix(str(file), own, 0.5, held_out=len(end)))
    settings = replace(settings, corpora=tuple(corpora))
    SftRun(settings, tmp_path / "run", log=lambda _: None).train()
    write_settings(tmp_path / "sft.toml", settings)
    return settings, load_model(tmp_path / "run", precision="float32")


def selector_settings(folder: Path, **changes: object) -> SelectorSettings:
    """Settings that train on held-out ends."""
    chosen = {"sft_settings": str(folder / "sft.toml"), "development": {}, "train_on_held_out": True, "epochs": 1}
    return SelectorSettings(**(chosen | changes))  # type: ignore[arg-type]


def texts_of(pool: Pool) -> set[str]:
    """All texts of a pool."""
    return {one.text for one in (*pool.development, *pool.held_out, *pool.unseen)}


def test_a_text_of_two_corpora_is_used_under_one_name(tmp_path: Path, model: tuple[SftSettings, LoadedModel]) -> None:
    """Would catch a corpus that is left out and judged by a selector of its own sentences, under another label set."""
    settings, loaded = model
    shared = [("b The alpha one binds beta two.", ()), *OTHER_SENTENCES]
    write_corpus(tmp_path / "a" / "dev.jsonl", shared)
    (tmp_path / "c").mkdir()
    other = OtherText(
        str(write_corpus(tmp_path / "c" / "dev.jsonl", shared)), settings.corpora[0].label_set, ("ALPHA",)
    )
    chosen = selector_settings(
        tmp_path, development={settings.corpora[0].label_set: str(tmp_path / "a" / "dev.jsonl")}, other_text=(other,)
    )
    found, log = [], list[str]()
    for corpora in (settings.corpora, settings.corpora[::-1]):
        # The development file belongs to the corpus of its folder, whatever stands first.
        pools = sentence_pools(chosen, corpora, loaded=loaded, log=log.append)
        named = {one.name: one for one in (*pools.corpora, *pools.other_text)}
        assert len(named["a"].development) == len(shared)
        assert not texts_of(named["a"]) & texts_of(named["b"])
        assert not texts_of(named["c"])
        found.append({name: texts_of(one) for name, one in named.items()})
    assert found[0] == found[1]
    assert "b: 1 sentence used under the name of another corpus alone" in log


def test_an_older_model_s_held_out_ends_lose_what_it_may_have_seen(
    tmp_path: Path, model: tuple[SftSettings, LoadedModel]
) -> None:
    """Would catch a selector that is calibrated on sentences which the model learned in another corpus."""
    settings, loaded = model
    write_corpus(tmp_path / "a" / "train.jsonl", [*SENTENCES, ("b x", ()), *((f"a {one}", ()) for one, _ in SENTENCES)])
    log: list[str] = []
    pools = sentence_pools(selector_settings(tmp_path), settings.corpora, loaded=loaded, log=log.append)
    assert "b x" in texts_of(pools.corpora[1]), "a model that left it out of every corpus has not seen it"
    assert not log
    del loaded.card.training[HELD_OUT_TEXTS]
    pools = sentence_pools(selector_settings(tmp_path), settings.corpora, loaded=loaded, log=log.append)
    assert "b x" not in texts_of(pools.corpora[1])
    assert len(pools.corpora[1].held_out) == len(SENTENCES) - 1
    [line] = log
    assert line.startswith("warning: ")
    assert "b/train.jsonl: of its held-out end 1 of 5 sentences are left out" in line
    write_corpus(tmp_path / "a" / "train.jsonl", [*((f"b {one}", ()) for one, _ in SENTENCES), *SENTENCES])
    with pytest.raises(ConfigurationError, match=r"held_out: 5 for '.*/train\.jsonl': the model may have been trained"):
        sentence_pools(selector_settings(tmp_path), settings.corpora, loaded=loaded, log=log.append)


def test_settings_that_leave_nothing_are_named_before_anything_is_decoded(
    tmp_path: Path, model: tuple[SftSettings, LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch hours of decoding for nothing, a misspelt label set that is passed over, and learned calibration."""
    settings, _ = model
    own = settings.corpora[0].label_set

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("bioner_core.training.collected_candidates.load_model", never)
    with pytest.raises(ConfigurationError, match=r"calibrate_on_unseen: \['x'\] with train_on_held_out = true"):
        selector_settings(tmp_path, calibrate_on_unseen=("x",))

    def refused(said: str, **changes: object) -> None:
        with pytest.raises(ConfigurationError, match=said):
            collect_candidates(tmp_path / "run", selector_settings(tmp_path, **changes), log=lambda _: None)

    refused(r"development: \['gneia'\] are not label sets .*choose from", development={"gneia": "x"})
    refused(r"calibrate_on_unseen: \['x'\] are not", calibrate_on_unseen=("x",), train_on_held_out=False)
    write_settings(
        tmp_path / "sft.toml", replace(settings, corpora=tuple(replace(one, held_out=0) for one in settings.corpora))
    )
    refused("train_on_held_out: true, but held_out is 0 for")
    refused("development: no file for .*whose held_out is 0", train_on_held_out=False)
    file = str(write_corpus(tmp_path / "a" / "dev.jsonl", OTHER_SENTENCES))
    # One file is of one corpus: the other has none.
    refused(r"development: no file for '.*b/train\.jsonl'", train_on_held_out=False, development={own: file})
