"""The plan of batches: the same every time, every example in it, no batch above its budget."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.training.batches import LENGTH_STEP, MixedCorpus, mixed_batches, padded_length
from tests.bioner_core.training.training_samples import example_of_length

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=60)


def corpus_of(some: list[int], name: str = "tiny", weight: float = 1.0) -> MixedCorpus:
    """A corpus of examples of these lengths; each is an object of its own."""
    return MixedCorpus(name, weight, tuple(example_of_length(one, name) for one in some))


@given(lengths, st.integers(32, 600), st.integers(0, 5))
def test_every_example_comes_once_an_epoch_within_the_budget(some: list[int], budget: int, seed: int) -> None:
    """Would catch an example that is never seen, or twice, or a batch that does not fit."""
    corpus = corpus_of(some)
    batches = mixed_batches([corpus], batch_tokens=budget, seed=seed)
    for _ in range(2):
        seen: list[int] = []
        while len(seen) < len(some):
            batch = next(batches)
            longest = max(len(one.input_ids) for one in batch)
            assert len(batch) == 1 or padded_length(longest) * len(batch) <= budget
            seen.extend(id(one) for one in batch)
        assert sorted(seen) == sorted(id(one) for one in corpus.examples)


@given(lengths, lengths, st.integers(0, 30))
def test_a_resumed_plan_goes_on_where_it_was(first: list[int], second: list[int], done: int) -> None:
    """Would catch a plan that depends on anything but the seed: a resumed run would see other batches."""
    corpora = [corpus_of(first, "one", 0.3), corpus_of(second, "two", 0.7)]
    whole = list(islice(mixed_batches(corpora, batch_tokens=200, seed=7), done + 5))
    resumed = list(islice(mixed_batches(corpora, batch_tokens=200, seed=7), done, done + 5))
    assert [[id(one) for one in batch] for batch in whole[done:]] == [[id(one) for one in batch] for batch in resumed]


def test_another_seed_is_another_plan_and_epochs_differ() -> None:
    """Would catch a shuffle without effect."""
    corpus = corpus_of(list(range(1, 60)))

    def order(seed: int, epoch: int) -> list[int]:
        seen = [
            len(one.input_ids)
            for batch in islice(mixed_batches([corpus], batch_tokens=64, seed=seed), 200)
            for one in batch
        ]
        return seen[59 * epoch : 59 * (epoch + 1)]

    assert order(1, 0) != order(2, 0)
    assert order(1, 0) != order(1, 1)
    assert sorted(order(1, 1)) == list(range(1, 60))


def test_a_batch_is_of_one_corpus_and_corpora_come_by_weight() -> None:
    """Would catch two prompts in one batch, or a mix that ignores its weights."""
    corpora = [corpus_of([10] * 50, "one", 1.0), corpus_of([10] * 500, "two", 3.0)]
    batches = list(islice(mixed_batches(corpora, batch_tokens=320, seed=0), 2000))
    assert all(len({one.label_set for one in batch}) == 1 for batch in batches)
    share = sum(batch[0].label_set == "two" for batch in batches) / len(batches)
    assert 0.70 < share < 0.80


def test_examples_of_like_length_share_a_batch() -> None:
    """Would catch batches that are mostly padding."""
    corpus = corpus_of([16, 500] * 100)
    batches = list(islice(mixed_batches([corpus], batch_tokens=2000, seed=0), 40))
    mixed = [batch for batch in batches if len({len(one.input_ids) for one in batch}) > 1]
    assert len(mixed) <= len(batches) / 4


def test_lengths_are_rounded_up() -> None:
    """Would catch a batch one token too short for its longest example."""
    assert [padded_length(one) for one in (1, LENGTH_STEP, LENGTH_STEP + 1)] == [
        LENGTH_STEP,
        LENGTH_STEP,
        2 * LENGTH_STEP,
    ]
