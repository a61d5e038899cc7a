"""What a batch that fails turns into, row by row, in an actor as in an evaluation.

Out of memory: free what can be freed and halve the batch, down to one row. Any other exception: halve the batch until
the bad rows stand alone, so that a bad row never takes its batch-mates with it. A device that is broken for good, or a
label set that the annotator was not given, is not a row's fault: such an error is passed on. Imports no torch.
"""

import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError, PoolError
from bioner_core.inference.annotation import AnnotationRequest, Annotator, RowError, RowResult
from bioner_core.inference.batching import limits_of, plan_batches
from bioner_core.records import RejectReason

_FATAL_TEXTS = ("CUDA error", "device-side assert", "illegal memory access")


class DeviceLostError(RuntimeError):
    """The process's GPU context can never work again; only a fresh process can go on."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong with a batch, as text only: a kept exception would keep the batch's tensors alive."""

    reason: RejectReason
    message: str
    traceback: str


def free_memory() -> None:
    """Give back what the interpreter and, where torch is loaded and has a GPU, its allocator hold for reuse."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_fatal_device_error(error: BaseException | None) -> bool:
    """Whether this error, or one that caused it, says that the process's GPU context can never work again."""
    while error is not None:
        if isinstance(error, RuntimeError) and any(text in str(error) for text in _FATAL_TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False


def annotate_with_bisection(
    annotator: Annotator,
    requests: Sequence[AnnotationRequest],
    *,
    free: Callable[[], None] = free_memory,
    attempt: int = 1,
) -> list[RowResult]:
    """Answer every row, index-aligned: with its candidates, or with the reason why that row alone has none.

    Raises:
        PoolError: the annotator gave another number of results than rows; no answer of it can be trusted then.
        ConfigurationError: the annotator says that the request is wrong, not the text.
        DeviceLostError: the annotator's error says that the process must end (`is_fatal_device_error`).
    """
    if not requests:
        return []
    outcome = _try_batch(annotator, requests)
    if not isinstance(outcome, _Failure):
        return _checked(outcome, len(requests))
    # Invariant: memory is freed only here, where the exception and its frames are gone with `_try_batch`: they held the
    # tensors of the failed batch.
    if outcome.reason is RejectReason.OUT_OF_MEMORY:
        free()
    if len(requests) == 1:
        return [RowError(outcome.reason, outcome.message, outcome.traceback, attempt)]
    # Invariant: results stay index-aligned, since the halves keep the order. One bad row of n costs about 2 log2 n
    # further calls.
    middle = len(requests) // 2
    return [
        *annotate_with_bisection(annotator, requests[:middle], free=free, attempt=attempt + 1),
        *annotate_with_bisection(annotator, requests[middle:], free=free, attempt=attempt + 1),
    ]


def annotate_in_batches(
    annotator: Annotator, requests: Sequence[AnnotationRequest], *, on_rows: Callable[[int], None] = lambda _: None
) -> list[RowResult]:
    """Answer any number of rows, index-aligned, in batches that the annotator's device takes.

    `on_rows` hears how many more were answered, a batch at a time.

    Raises:
        PoolError, ConfigurationError, DeviceLostError: as `annotate_with_bisection`.
    """
    limits = limits_of(annotator)
    results: list[RowResult] = [()] * len(requests)
    for batch in plan_batches(requests, token_budget=limits.token_budget, max_rows=limits.max_rows):
        for index, result in zip(batch.indices, annotate_with_bisection(annotator, batch.requests), strict=True):
            results[index] = result
        on_rows(len(batch.indices))
    return results


def _try_batch(annotator: Annotator, requests: Sequence[AnnotationRequest]) -> list[RowResult] | _Failure:
    try:
        return annotator.annotate(requests)
    except (AnnotatorOutOfMemoryError, MemoryError) as error:
        return _failure(RejectReason.OUT_OF_MEMORY, error)
    except ConfigurationError:
        raise
    except Exception as error:  # the row boundary: one bad row must not stop the batch
        # Invariant: no row is blamed for a broken device. After a CUDA error every later call of this process fails
        # too, so bisection would reject each row of the batch; the process ends instead, and the batch is charged once.
        if is_fatal_device_error(error):
            raise DeviceLostError(str(error)) from error
        return _failure(RejectReason.ANNOTATION_FAILED, error)


def _failure(reason: RejectReason, error: Exception) -> _Failure:
    return _Failure(reason, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def _checked(results: list[RowResult], rows: int) -> list[RowResult]:
    if len(results) != rows:
        raise PoolError(f"the annotator gave {len(results)} results for {rows} rows: correct its annotate method")
    return results
