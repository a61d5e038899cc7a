"""Candidates that stand in for other text and other types: what they hold, and what is fitted on them."""

import _thread
import multiprocessing
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.evaluation.corpora import gold_sentences, read_corpus, with_types
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.tag_choice import is_free
from bioner_core.selector.samples import SpanSamples, decoded_samples
from bioner_core.training.borrowed_candidates import in_new_words, in_other_text, joined, of_tags
from bioner_core.training.collected_candidates import collect_candidates, pieces_of
from bioner_core.training.corpora import corpus_label_set
from bioner_core.training.other_words import reworded
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_settings import OtherText, SelectorSettings, read_selector_settings
from bioner_core.training.selector_training import train_selector
from bioner_core.training.sentence_pools import left_held_out
from bioner_core.training.settings import SftSettings
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import TYPES, save_tiny_base
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings, write_corpus, write_settings

BIAS = 3.0
"""So much for an opening tag that a model of a few steps opens some under any words."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[SftSettings, Path]:
    """A model that reads definitions, hardly trained, of a label set with words that no training reads."""
    folder = tmp_path_factory.mktemp("borrowed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        save_tiny_base(folder / "base")
        settings = tiny_settings(folder, monkeypatch, max_tokens=1_000, base=str(folder / "base"))
        types = "".join(
            f'[[types]]\nname = "{one.upper()}"\ntag = "{one}"\nen = "{one}"\ndefinition_en = "all {one}s"\n'
            f'definition_zh = "所有 {one}"\nuntrained_definitions = ["any {one}", "任何 {one}"]\n'
            for one in TYPES
        )
        (folder / "own.toml").write_text(f'name = "tiny"\nlanguages = ["en"]\n{types}', encoding="utf-8")
        [corpus] = settings.corpora
        sentences = [(f"{index} {text}", _moved(spans, 2)) for index, (text, spans) in enumerate(SENTENCES * 2)]
        write_corpus(Path(corpus.file), [*SENTENCES, *((text, spans) for text, spans in sentences)])
        settings = replace(settings, corpora=(replace(corpus, held_out=len(sentences)),))
        SftRun(settings, folder / "run", log=lambda _: None).train()
    card = read_card(folder / "run")
    write_card(replace(card, open_bias={"tiny": BIAS, "*:en": BIAS}), folder / "run")
    return settings, folder


def _moved(spans: Sequence[tuple[int, int, str]], by: int) -> tuple[tuple[int, int, str], ...]:
    return tuple((start + by, end + by, one) for start, end, one in spans)


def _settings(folder: Path, **more: Any) -> SelectorSettings:
    return SelectorSettings(
        sft_settings=str(folder / "sft.toml"),
        development={},
        rendered=4,
        decoded=4,
        calibration=4,
        epochs=1,
        open_biases=(BIAS,),
        train_on_held_out=True,
        **more,
    )


def _comparable(made: CorpusCandidates) -> list[Any]:
    """What equal candidates have alike; tensors cannot be compared with ==."""
    parts = (*made.training, made.development)
    tensors = [
        (one.features.tolist(), one.tag.tolist(), one.tag_score.tolist(), one.is_right.tolist()) for one in parts
    ]
    return [made.corpus, made.label_set, made.bias, made.development_f1, tensors, [one.gold_counts for one in parts]]


def _loaded(folder: Path) -> LoadedModel:
    return load_model(folder / "run", precision="float32")


def test_new_words_have_free_tags_and_no_sentence_twice(
    trained: tuple[SftSettings, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch known tags under the new words, and a calibration on the sentences that were trained on."""
    settings, folder = trained
    texts: list[set[str]] = []

    def note(sentences: Sequence[GoldSentence], *others: Any, **named: Any) -> SpanSamples:
        texts.append({one.text for one in sentences})
        return decoded_samples(sentences, *others, **named)

    monkeypatch.setattr("bioner_core.training.borrowed_candidates.decoded_samples", note)
    loaded = _loaded(folder)
    [corpus] = settings.corpora
    label_set = reworded(corpus_label_set(corpus))
    assert label_set is not None
    held_out = left_held_out(corpus, keep=loaded.card.characters, trained=(), log=lambda _: None)
    chosen = _settings(folder, new_words=3)
    made = in_new_words(corpus, label_set, held_out=held_out, loaded=loaded, settings=chosen)
    assert (made.is_borrowed, made.speaks_for_label_set, made.bias) == (True, False, BIAS)
    training, development = texts
    assert len(training) == len(development) == 3
    assert not training & development
    for one in (*made.training, made.development):
        assert all(is_free(loaded.card.tags[row]) for row in one.open_rows)
        assert set(one.tag.tolist()) | set(one.gold_counts) <= set(one.open_rows)
    assert made.development.gold_count > 0


def test_other_text_is_judged_on_the_types_that_are_marked_there(
    trained: tuple[SftSettings, Path], tmp_path: Path
) -> None:
    """Would catch right mentions that count as wrong, because the other corpus does not mark their type."""
    settings, folder = trained
    data = [(text, tuple((start, end, f"x-{one}") for start, end, one in spans)) for text, spans in SENTENCES]
    other = OtherText(
        str(write_corpus(tmp_path / "other.jsonl", data)),
        settings.corpora[0].label_set,
        ("ALPHA", "GAMMA"),
        {"x-ALPHA": "ALPHA", "x-GAMMA": "GAMMA"},
    )
    sentences = gold_sentences(with_types(read_corpus(other.file), other.new_names))
    made = in_other_text(other, sentences, bias=BIAS, loaded=_loaded(folder), settings=_settings(folder))
    alpha, gamma = TYPES.index("alpha"), TYPES.index("gamma")
    assert made.training == ()
    assert set(made.development.gold_counts) <= {alpha, gamma}
    assert made.development.gold_count > 0
    assert set(made.development.tag.tolist()) <= {alpha, gamma}
    write_settings(folder / "sft.toml", settings)
    wrong = _settings(folder, other_text=(replace(other, new_names={"x-DELTA": "BETA"}),))
    with pytest.raises(ConfigurationError, match="x-DELTA"):
        collect_candidates(folder / "run", wrong, log=lambda _: None)
    wrong = _settings(folder, other_text=(replace(other, types=("DELTA",)),))
    with pytest.raises(ConfigurationError, match=r"types: \['DELTA'\] not in label set"):
        collect_candidates(folder / "run", wrong, log=lambda _: None)


def test_the_card_has_one_threshold_for_all_free_tags_and_keeps_its_biases(
    trained: tuple[SftSettings, Path], tmp_path: Path
) -> None:
    """Would catch a user's types whose threshold depends on their order, and biases of borrowed words in the card."""
    settings, folder = trained
    write_settings(folder / "sft.toml", settings)
    lines: list[str] = []
    train_selector(folder / "run", _settings(folder, new_words=4), log=lines.append)
    card = read_card(folder / "run")
    free = {limit for tag, limit in card.type_thresholds.items() if is_free(tag)}
    assert len(free) == 1
    assert card.open_bias == {"tiny": BIAS, "*:en": BIAS}
    assert set(card.tag_thresholds) == {"tiny"}
    assert any("tiny in other words" in line for line in lines)
    for _ in range(2):
        again = train_selector(
            folder / "run", _settings(folder, new_words=4), log=lines.append, candidates=tmp_path / "kept"
        )
        assert again.thresholds == card.type_thresholds, "a fit from kept files is that of a fresh run"


def test_a_run_that_was_interrupted_goes_on(trained: tuple[SftSettings, Path], tmp_path: Path) -> None:
    """Would catch a selector that is fitted on the one corpus that was done when the run before was killed."""
    settings, folder = trained
    write_settings(folder / "sft.toml", settings)
    chosen, lines = _settings(folder, new_words=4), list[str]()
    whole = collect_candidates(folder / "run", chosen, log=lines.append, keep_in=tmp_path)
    assert [one.label_set for one in whole] == ["tiny", "tiny in other words"]
    [lost] = tmp_path.glob("tiny in other words-*")
    lost.unlink()
    again = collect_candidates(folder / "run", chosen, log=lines.append, keep_in=tmp_path)
    assert list(map(_comparable, again)) == list(map(_comparable, whole))
    assert len(lines) == 3


def test_candidates_of_another_model_or_other_settings_are_refused(
    trained: tuple[SftSettings, Path], tmp_path: Path
) -> None:
    """Would catch a selector that is fitted on what an older model found, since the folder's name is the same."""
    settings, folder = trained
    write_settings(folder / "sft.toml", settings)
    chosen = _settings(folder)
    collect_candidates(folder / "run", chosen, log=lambda _: None, keep_in=tmp_path / "kept")
    of_the_fit = replace(chosen, epochs=7, dropout=0.1)
    assert collect_candidates(folder / "run", of_the_fit, log=lambda _: None, keep_in=tmp_path / "kept")
    with pytest.raises(ModelError, match="other settings"):
        collect_candidates(folder / "run", replace(chosen, decoded=5), log=lambda _: None, keep_in=tmp_path / "kept")
    shutil.copytree(folder / "run", tmp_path / "other")
    card = read_card(tmp_path / "other")
    write_card(replace(card, open_bias={**card.open_bias, "*:en": 0.0}), tmp_path / "other")
    with pytest.raises(ModelError, match="another model"):
        collect_candidates(tmp_path / "other", chosen, log=lambda _: None, keep_in=tmp_path / "kept")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_processes_that_end_early_end_all(trained: tuple[SftSettings, Path], tmp_path: Path, how: str) -> None:
    """Would catch a command that waits for ever for a killed process, and one that Ctrl-C ends only minutes later."""
    settings, folder = trained
    write_settings(folder / "sft.toml", settings)

    def end_early() -> None:
        while not multiprocessing.active_children():
            time.sleep(0.05)
        if how == "killed":
            multiprocessing.active_children()[0].kill()
        else:
            _thread.interrupt_main()

    threading.Thread(target=end_early).start()
    with pytest.raises(
        ModelError if how == "killed" else KeyboardInterrupt, match="fewer" if how == "killed" else None
    ):
        collect_candidates(
            folder / "run", _settings(folder, new_words=4), log=lambda _: None, keep_in=tmp_path, processes=2
        )
    for child in multiprocessing.active_children():
        child.join(timeout=60)
    assert not multiprocessing.active_children()


def test_two_corpora_that_would_share_a_file_are_named(trained: tuple[SftSettings, Path]) -> None:
    """Would catch candidates of one corpus that are overwritten by those of another, or taken for them."""
    settings, folder = trained
    [corpus] = settings.corpora
    with pytest.raises(ConfigurationError, match="2 files in folders named"):
        pieces_of(_settings(folder), [corpus, corpus], has_free_tags=True)


@pytest.mark.slow
def test_two_processes_make_the_candidates_of_one(trained: tuple[SftSettings, Path]) -> None:
    """Would catch a process that has other weights, settings or sentences than the one that started it."""
    settings, folder = trained
    write_settings(folder / "sft.toml", settings)
    chosen, lines = _settings(folder, new_words=4), list[str]()
    one, two = (
        collect_candidates(folder / "run", chosen, log=lines.append, processes=processes) for processes in (1, 2)
    )
    assert sorted(lines[:2]) == sorted(lines[2:])
    assert list(map(_comparable, one)) == list(map(_comparable, two))
    assert not multiprocessing.active_children()
    with pytest.raises(ConfigurationError, match="processes: 0"):
        collect_candidates(folder / "run", chosen, log=lines.append, processes=0)


def test_parts_and_choices_keep_every_candidate_beside_its_truth() -> None:
    """Would catch a mask that is laid over one field and not over others, and gold of parts that counts once."""
    first = SpanSamples(
        torch.eye(3),
        torch.tensor([5, 6, 5]),
        torch.arange(3.0),
        torch.tensor([1, 0, 1]).bool(),
        {5: 4, 6: 1},
        "a",
        (5, 6),
    )
    second = SpanSamples(
        torch.zeros(0, 0), torch.zeros(0, dtype=torch.long), torch.zeros(0), torch.zeros(0).bool(), {5: 2}, "b", (5, 7)
    )
    both = joined([first, second], "whole")
    assert (both.gold_counts, both.open_rows, both.label_set) == ({5: 6, 6: 1}, (5, 6, 7), "whole")
    chosen = of_tags(both, [5])
    assert chosen.features.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert (chosen.tag_score.tolist(), chosen.is_right.tolist(), chosen.gold_counts) == (
        [0.0, 2.0],
        [True, True],
        {5: 6},
    )
    assert len(joined([second], "none").tag) == 0


def test_settings_of_borrowed_candidates_are_read_and_checked(tmp_path: Path) -> None:
    """Would catch a table that is ignored, and a count below nothing."""
    path = tmp_path / "selector.toml"
    text = 'sft_settings = "a"\nnew_words = 5\n[development]\n'
    text += '[[other_text]]\nfile = "f"\nlabel_set = "cmeee"\ntypes = ["dis"]\n'
    path.write_text(text + 'new_names = { disease = "dis" }\n')
    read = read_selector_settings(path)
    assert read.new_words == 5
    assert read.other_text == (OtherText("f", "cmeee", ("dis",), {"disease": "dis"}),)
    path.write_text(text + "tpyes = []\n")
    with pytest.raises(ConfigurationError, match="tpyes"):
        read_selector_settings(path)
    path.write_text('sft_settings = "a"\nnew_words = -1\n[development]\n')
    with pytest.raises(ConfigurationError, match="new_words"):
        read_selector_settings(path)
