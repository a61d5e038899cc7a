"""The opening bias of label sets that a model was not trained for."""

from pathlib import Path

import pytest

from bioner_core.labels.label_set import load_label_set
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import read_card
from bioner_core.models.tag_choice import chosen_tags, is_free
from bioner_core.training.other_words import reworded
from bioner_core.training.sft import SftRun
from devtools.unseen_bias import BIASES, WordingScores, best_bias, main, pooled_f1, wording_scores
from tests.bioner_core.tiny_model import TYPES
from tests.bioner_core.training.training_samples import tiny_settings, with_held_out_end, write_settings

PUBTATOR = Path("bioner_core/models/bundled/pubtator")


@pytest.mark.parametrize("name", ["genia", "pubtator", "cmeee", "cmedqaner", "cehrner", "species"])
def test_other_words_stand_under_free_tags(name: str) -> None:
    """Would catch types that a model knows by their tags, or definitions in the other language."""
    label_set = load_label_set(name)
    other = reworded(label_set)
    assert other is not None
    assert [one.name for one in other.types] == [one.name for one in label_set.types]
    assert all(map(is_free, chosen_tags(other, read_card(PUBTATOR))))
    for one in other.types:
        assert one.definition_en == one.definition_zh
        assert one.definition_en.isascii() == ("en" in label_set.languages)
        assert one.definition_en not in one.other_definitions


def test_a_label_set_without_other_words_is_left_out() -> None:
    """Would catch a corpus that is scored under the words that the model was trained on."""
    assert reworded(load_label_set("craft")) is None


def test_all_sentences_of_a_language_decide_and_of_equals_the_lowest() -> None:
    """Would catch a bias that a corpus of a few mentions decides, or a higher one that brings nothing."""
    scores = [
        WordingScores("large", "en", 100, {0.0: (50, 60), 0.75: (60, 70), 1.5: (59, 90)}),
        WordingScores("small", "en", 4, {0.0: (0, 0), 0.75: (0, 0), 1.5: (4, 4)}),
    ]
    assert pooled_f1(scores, 0.75) == pytest.approx(2 * 60 / (70 + 104))
    assert best_bias(scores) == 0.75
    assert best_bias([WordingScores("x", "en", 4, {0.0: (2, 3), 0.75: (2, 3)})]) == 0.0
    assert "F1 0.0%" in str(WordingScores("none", "en", 0, {0.0: (0, 0)}))


def test_the_bias_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Would catch a bias that is written unasked or not at all, and a traceback for a wrong name."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=120, definition_rank=8)
    types = "".join(
        f'[[types]]\nname = "{one.upper()}"\ntag = "{one}"\nen = "{one}"\ndefinition_en = "all {one}s"\n'
        f'definition_zh = "所有 {one}"\nuntrained_definitions = ["any {one}", "任何 {one}"]\n'
        for one in TYPES
    )
    (tmp_path / "own.toml").write_text(f'name = "tiny"\nlanguages = ["en"]\n{types}', encoding="utf-8")
    settings = with_held_out_end(settings)
    SftRun(settings, tmp_path / "model", log=lambda _: None).train()
    [found] = wording_scores(settings.corpora, load_model(tmp_path / "model", precision="float32"), sentences=5)
    assert tuple(found.found) == BIASES
    write_settings(tmp_path / "sft.toml", settings)
    words = [str(tmp_path / "model"), "--settings", str(tmp_path / "sft.toml"), "--sentences", "5"]
    assert main(words) == 0
    assert read_card(tmp_path / "model").open_bias == {}
    assert main([*words, "--write"]) == 0
    bias = read_card(tmp_path / "model").open_bias["*:en"]
    assert bias in BIASES
    assert f"en: chosen {bias:+.2f}" in capsys.readouterr().out
    assert main(["nobody", *words[1:]]) == 1
    assert "nobody" in capsys.readouterr().err
