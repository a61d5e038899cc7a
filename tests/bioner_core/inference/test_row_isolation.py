"""The bisection, without Ray."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError, PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.row_isolation import DeviceLostError, annotate_with_bisection, is_fatal_device_error
from bioner_core.records import RejectReason
from tests.pipelines.fake_annotators import ObedientAnnotator, answer

GOOD = [AnnotationRequest(f"row {number}", "x") for number in range(12)]


class CountingAnnotator(ObedientAnnotator):
    """Remembers the size of each batch it was given."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        self.sizes.append(len(requests))
        return super().annotate(requests)


def requests(*texts: str) -> list[AnnotationRequest]:
    """Requests of these texts."""
    return [AnnotationRequest(text, "x") for text in texts]


def test_good_rows_are_answered_in_one_call() -> None:
    """A ladder that splits batches which have nothing wrong with them."""
    annotator = CountingAnnotator()
    assert annotate_with_bisection(annotator, GOOD) == [answer(request) for request in GOOD]
    assert annotator.sizes == [12]


def test_no_rows_need_no_annotator() -> None:
    """An empty batch sent to a model that cannot take one."""
    annotator = CountingAnnotator()
    assert annotate_with_bisection(annotator, []) == []
    assert annotator.sizes == []


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 11])
def test_out_of_memory_halves_until_it_fits(limit: int) -> None:
    """Rows lost or doubled by halving, or memory not freed before each smaller try."""
    batch = [*GOOD, AnnotationRequest(f"oom-above {limit}", "x")]
    annotator, freed = CountingAnnotator(), []
    results = annotate_with_bisection(annotator, batch, free=lambda: freed.append(1))
    assert results == [answer(request) for request in batch]
    assert annotator.sizes[:2] == [13, 6]
    assert freed


def test_a_row_too_large_even_alone_is_rejected_alone() -> None:
    """Endless halving, or batch-mates rejected with the row that does not fit."""
    batch = [*GOOD, AnnotationRequest("oom-above 0", "x")]
    results = annotate_with_bisection(ObedientAnnotator(), batch)
    assert results[:-1] == [answer(request) for request in GOOD]
    assert isinstance(results[-1], RowError)
    assert results[-1].reason is RejectReason.OUT_OF_MEMORY
    assert results[-1].message == "AnnotatorOutOfMemoryError: 1 rows do not fit"
    assert results[-1].attempts > 1


def test_a_memory_error_of_the_interpreter_counts_as_out_of_memory() -> None:
    """A CPU that runs out of memory taken for a bad row, and so never freed."""

    class Greedy(ObedientAnnotator):
        def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
            raise MemoryError

    (result,) = annotate_with_bisection(Greedy(), requests("a"))
    assert isinstance(result, RowError)
    assert result.reason is RejectReason.OUT_OF_MEMORY


@given(st.sets(st.integers(0, 20)), st.integers(21, 30))
def test_only_the_bad_rows_are_rejected(bad: set[int], rows: int) -> None:
    """A bad row that takes a batch-mate with it, or an answer that lands on another row."""
    batch = requests(*(f"raise bad{index}" if index in bad else f"row {index}" for index in range(rows)))
    results = annotate_with_bisection(ObedientAnnotator(), batch, free=lambda: None)
    for index, (request, result) in enumerate(zip(batch, results, strict=True)):
        if index in bad:
            assert isinstance(result, RowError)
            assert result.reason is RejectReason.ANNOTATION_FAILED
            assert result.message == f"ValueError: bad{index}"
            assert f"ValueError: bad{index}" in result.traceback
            assert "_obey" in result.traceback
        else:
            assert result == answer(request)


def test_a_wrong_number_of_results_is_no_row_failure() -> None:
    """Shifted answers accepted, or hidden by splitting the batch until the numbers agree."""
    with pytest.raises(PoolError, match="3 results for 2 rows"):
        annotate_with_bisection(ObedientAnnotator(), requests("a", "miscount"))


def test_a_lost_device_is_passed_on() -> None:
    """A dead GPU context that rejects every later row one by one."""
    with pytest.raises(DeviceLostError, match="illegal memory access"):
        annotate_with_bisection(ObedientAnnotator(), requests("a", "cuda", "b"))


def test_fatal_errors_are_told_from_others() -> None:
    """A wrapped CUDA error not recognised; an ordinary error, or a mere lack of memory, taken for fatal."""
    wrapped = ValueError("outer")
    wrapped.__cause__ = RuntimeError("device-side assert triggered")
    assert is_fatal_device_error(wrapped)
    assert is_fatal_device_error(RuntimeError("CUDA error: unspecified launch failure"))
    assert not is_fatal_device_error(RuntimeError("size mismatch"))
    assert not is_fatal_device_error(ValueError("the text says CUDA error"))
    assert not is_fatal_device_error(AnnotatorOutOfMemoryError("CUDA out of memory"))


def test_a_wrong_request_is_no_row_failure() -> None:
    """A label set that no actor has, rejected sentence by sentence through a whole dump instead of stopping the job."""

    class Picky(ObedientAnnotator):
        def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
            raise ConfigurationError("label set 'x' was not loaded")

    with pytest.raises(ConfigurationError, match="'x' was not loaded"):
        annotate_with_bisection(Picky(), requests("a", "b"))
