"""Batches under a token budget."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import read_corpus, record_sentences
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.batching import (
    MAX_PADDING,
    ROWS_FOR_A_FULL_PASS,
    BatchFill,
    BatchLimits,
    fill_of,
    limits_of,
    plan_batches,
)
from bioner_core.text.units import estimate_tokens
from pipelines.job import DEFAULT_BUFFER_CHARACTERS

REQUESTS = st.lists(
    st.builds(AnnotationRequest, st.text(max_size=60), st.sampled_from(["genia", "bc5cdr", "cmeee"])), max_size=60
)


@given(REQUESTS, st.integers(1, 200), st.integers(1, 20))
def test_each_row_is_in_exactly_one_batch_under_its_own_index(
    requests: list[AnnotationRequest], token_budget: int, max_rows: int
) -> None:
    """A row lost, doubled, or filed under another row's index."""
    batches = plan_batches(requests, token_budget=token_budget, max_rows=max_rows)
    assert sorted(index for batch in batches for index in batch.indices) == list(range(len(requests)))
    for batch in batches:
        assert batch.requests == tuple(requests[index] for index in batch.indices)


@given(REQUESTS, st.integers(1, 200), st.integers(1, 20))
def test_batches_keep_the_caps(requests: list[AnnotationRequest], token_budget: int, max_rows: int) -> None:
    """Cost counted as the sum of rows instead of padded; two label sets in a batch; a cap off by one."""
    for batch in plan_batches(requests, token_budget=token_budget, max_rows=max_rows):
        longest = max(max(1, estimate_tokens(request.text)) for request in batch.requests)
        assert batch.tokens == longest * len(batch.indices)
        assert batch.tokens <= token_budget or len(batch.indices) == 1
        assert 1 <= len(batch.indices) <= max_rows
        assert len({request.label_set for request in batch.requests}) == 1


@given(REQUESTS, st.integers(1, 200), st.integers(1, 20))
def test_batches_are_not_needlessly_small(requests: list[AnnotationRequest], token_budget: int, max_rows: int) -> None:
    """A batch closed although the next row of its label set would have fitted, and without much padding."""
    batches = plan_batches(requests, token_budget=token_budget, max_rows=max_rows)
    for batch, following in itertools.pairwise(batches):
        if batch.requests[0].label_set == following.requests[0].label_set:
            rows = len(batch.indices) + 1
            padding = BatchFill(fill_of([batch]).tokens + following.longest, batch.longest * rows).padding
            too_loose = rows > ROWS_FOR_A_FULL_PASS and padding > MAX_PADDING
            assert rows > max_rows or batch.longest * rows > token_budget or too_loose


def test_a_row_over_the_budget_is_alone() -> None:
    """A row longer than the budget dropped, or padding its batch-mates to its length."""
    requests = [AnnotationRequest("a b", "x"), AnnotationRequest("word " * 100, "x"), AnnotationRequest("c d", "x")]
    assert [batch.indices for batch in plan_batches(requests, token_budget=10, max_rows=8)] == [(1,), (0, 2)]


@given(REQUESTS.filter(lambda requests: len(requests) > 1))
def test_halves_hold_each_row_once(requests: list[AnnotationRequest]) -> None:
    """Bisection that loses or doubles the middle row, or lets rows and indices drift apart."""
    for batch in plan_batches(requests, token_budget=10**9, max_rows=10**9):
        if len(batch.indices) > 1:
            left, right = batch.halves()
            assert left.indices + right.indices == batch.indices
            assert left.requests + right.requests == batch.requests
            assert left.indices
            assert right.indices


@pytest.mark.parametrize(("token_budget", "max_rows"), [(0, 1), (1, 0), (-1, 5)])
def test_caps_of_nothing_are_refused(token_budget: int, max_rows: int) -> None:
    """A zero cap taken for 'no cap'."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        plan_batches([], token_budget=token_budget, max_rows=max_rows)


def test_short_rows_do_not_join_long_ones_once_a_batch_is_worth_it() -> None:
    """A batch of sixteen long sentences and as many titles that are mostly padding."""
    requests = [AnnotationRequest("word " * 40, "x")] * 20 + [AnnotationRequest("word", "x")] * 20
    assert [len(batch.indices) for batch in plan_batches(requests, token_budget=4096, max_rows=64)] == [22, 18]


def test_padding_is_the_share_of_slots_without_a_token() -> None:
    """A share of the tokens instead, or one that divides by nothing."""
    (batch,) = plan_batches(
        [AnnotationRequest("a b c d", "x"), AnnotationRequest("a", "x")], token_budget=99, max_rows=9
    )
    assert fill_of([batch]) == BatchFill(5, 8)
    assert BatchFill(5, 8).padding == pytest.approx(3 / 8)
    assert BatchFill().padding == 0.0
    assert BatchFill(5, 8) + BatchFill(1, 1) - BatchFill(2, 2) == BatchFill(4, 7)


def test_a_budget_alone_sets_the_rows() -> None:
    """A small budget that still allows 64 short rows with their prompts."""
    assert BatchLimits.of_budget(4096) == BatchLimits()
    assert BatchLimits.of_budget(640) == BatchLimits(640, 10)
    assert BatchLimits.of_budget(5) == BatchLimits(5, 1)


def test_an_annotator_that_knows_its_limits_is_asked() -> None:
    """Limits that were found on the device and never used."""

    class Knowing:
        limits = BatchLimits(7, 3)

    assert limits_of(Knowing()) == BatchLimits(7, 3)
    assert limits_of(object()) == BatchLimits()


@pytest.mark.parametrize("corpus", ["genia/test", "bc5cdr/test", "cmeee/dev", "cmedqaner/train", "craft/dev"])
def test_real_sentences_make_batches_with_little_padding(shared_folder: Path, corpus: str) -> None:
    """Buffers too small, or batches too loose, for the promise of docs/pool.md: at most 10 % of padding."""
    found = BatchFill()
    for buffer in buffers(shared_folder / "data" / f"{corpus}.jsonl.gz"):
        limits = BatchLimits()
        found += fill_of(plan_batches(buffer, token_budget=limits.token_budget, max_rows=limits.max_rows))
    assert 0 < found.padding <= 0.10


def buffers(corpus: Path) -> Iterator[list[AnnotationRequest]]:
    """The sentences of a corpus as the pipeline hands them on: so many characters of whole records at a time."""
    buffer: list[AnnotationRequest] = []
    characters = 0
    for record in read_corpus(corpus):
        buffer += [AnnotationRequest(sentence.text, "x") for sentence in record_sentences(record)]
        characters += len(record.text)
        if characters >= DEFAULT_BUFFER_CHARACTERS:
            yield buffer
            buffer, characters = [], 0
    yield buffer
