"""Batches under a token budget."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.annotation import AnnotationRequest
from bioner_core.batching import plan_batches
from bioner_core.errors import ConfigurationError
from bioner_core.text.units import estimate_tokens

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
    """A batch closed although the next row of its label set would have fitted."""
    batches = plan_batches(requests, token_budget=token_budget, max_rows=max_rows)
    for batch, following in itertools.pairwise(batches):
        if batch.requests[0].label_set == following.requests[0].label_set:
            rows = len(batch.indices) + 1
            assert rows > max_rows or batch.longest * rows > token_budget


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
