"""The mix: weights by temperature, batches per step, and the digest that tells two plans apart."""

from dataclasses import replace
from itertools import islice

import pytest

from bioner_core.training.batches import plan_digest, step_batches
from bioner_core.training.corpora import mix_weights
from bioner_core.training.settings import CorpusMix, SftSettings
from tests.bioner_core.training.training_samples import example_of_length

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
