"""The mix: weights by temperature, batches per step, and the digest that tells two plans apart."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.tagging.moves import MAX_DEPTH
from bioner_core.training.batches import MixedCorpus, plan_digest, step_batches
from bioner_core.training.corpora import build_mix, mix_weights, named_label_sets
from bioner_core.training.examples import LostGold
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import tiny_vocabulary
from tests.bioner_core.training.training_samples import example_of_length, tiny_settings, write_corpus, write_label_set

SETTINGS = SftSettings((CorpusMix("a", "genia"), CorpusMix("b", "cmeee", held_out=5)))


def test_weights_flatten_with_temperature() -> None:
    """Would catch small corpora that do not count, or weights that are not shares."""
    assert mix_weights(replace(SETTINGS, mix_temperature=1), [900, 100]) == pytest.approx([0.9, 0.1])
    assert mix_weights(SETTINGS, [900, 100]) == pytest.approx([0.75, 0.25])
    assert mix_weights(replace(SETTINGS, mix_temperature=1e9), [900, 100]) == pytest.approx([0.5, 0.5])


def test_given_weights_stay_as_they_are() -> None:
    """Would catch a recipe whose weights are quietly replaced, and with them its order of batches."""
    given = replace(SETTINGS, corpora=(CorpusMix("a", "genia", 0.3), CorpusMix("b", "cmeee", 0.9)))
    assert mix_weights(given, [900, 100]) == [0.3, 0.9]


NESTED = tuple((0, 1 + 2 * place, "ALPHA") for place in range(MAX_DEPTH + 1))
HARD = (
    ("Alpha beta gamma delta. Next one", ((0, 5, "ALPHA"), (6, 10, "OTHER"), (1, 5, "BETA"), (17, 28, "GAMMA"))),
    ("Alpha beta gamma delta", ((6, 16, "ALPHA"), (11, 22, "BETA"))),
    (" ".join("abcdefgh"), NESTED),
)


def mixed(folder: Path, *, types: tuple[str, ...] = ()) -> MixedCorpus:
    """The examples of a corpus that tags cannot hold all of."""
    corpus = write_corpus(folder / "hard.jsonl", HARD)
    own = write_label_set(folder / "own.toml")
    (found,) = build_mix(SftSettings((CorpusMix(str(corpus), str(own), 1.0, types=types),)), tiny_vocabulary())
    return found


def test_gold_that_no_example_marks_is_counted(tmp_path: Path) -> None:
    """Catches gold that is dropped in silence: the model is trained that it is nothing."""
    found = mixed(tmp_path)
    assert found.marked == sum(len(spans) for _, spans in HARD)
    assert found.lost == LostGold(of_other_types=1, over_sentence_ends=1, inside_units=1, crossing=1, too_deep=1)
    assert str(found.lost).startswith("1 of types that are not asked for, 1 over the end of a sentence, 1 with an edge")
    assert found.lost.total == 5


def test_a_corpus_may_be_asked_for_some_of_its_types(tmp_path: Path) -> None:
    """Catches a subset that is named on purpose and refused."""
    assert mixed(tmp_path, types=("GAMMA", "BETA")).lost.of_other_types > 1


def test_a_corpus_under_a_foreign_label_set_is_refused(tmp_path: Path) -> None:
    """Catches an hour of training in which every sentence says that there is nothing to find."""
    corpus = write_corpus(tmp_path / "hard.jsonl", HARD)
    with pytest.raises(ConfigurationError, match=r"hard\.jsonl' marks \['ALPHA'.*'genia'.*name the label set"):
        build_mix(SftSettings((CorpusMix(str(corpus), "genia", 1.0),)), tiny_vocabulary())


def test_steps_take_their_batches_one_after_another() -> None:
    """Would catch a batch that is lost or seen twice between steps, or after a resume."""
    batches = [(example_of_length(length),) for length in range(1, 30)]
    whole = list(islice(step_batches(iter(batches), per_step=3, done_steps=0), 9))
    assert [one for step in whole for one in step] == batches[:27]
    assert next(step_batches(iter(batches), per_step=3, done_steps=4)) == whole[4]


def test_the_digest_is_of_what_orders_the_batches() -> None:
    """Would catch a run that resumes with another order, or one that is refused for a change that does not matter."""
    own = plan_digest(SETTINGS, 1)
    for changed in (
        replace(SETTINGS, seed=1),
        replace(SETTINGS, batch_tokens=9),
        replace(SETTINGS, mix_temperature=3),
        replace(SETTINGS, corpora=SETTINGS.corpora[:1]),
        replace(SETTINGS, corpora=(CorpusMix("a", "genia", 1), CorpusMix("b", "cmeee", 1))),
    ):
        assert plan_digest(changed, 1) != own
    assert plan_digest(SETTINGS, 2) != own
    assert plan_digest(replace(SETTINGS, learning_rate=0.5, max_tokens=7), 1) == own


def test_two_label_sets_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch batches of one corpus under the prompt of another, with gold that means other types."""
    settings = tiny_settings(tmp_path, monkeypatch)
    [corpus] = settings.corpora
    other = write_label_set(tmp_path / "other.toml")
    same = replace(settings, corpora=(corpus, replace(corpus, label_set=str(other))))
    assert list(named_label_sets(same.corpora)) == ["tiny"]
    changed = tmp_path / "changed.toml"
    changed.write_text(other.read_text(encoding="utf-8").replace('en = "beta"', 'en = "another"'), encoding="utf-8")
    wrong = replace(settings, corpora=(corpus, replace(corpus, label_set=str(changed))))
    with pytest.raises(ConfigurationError, match=r"changed\.toml' has the name 'tiny', and so has another"):
        SftRun(wrong, tmp_path / "run", log=lambda _: None)
