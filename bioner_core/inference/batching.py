"""Sentences to batches under a token budget; a pure function: the same sentences make the same batches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bioner_core.errors import ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.text.units import estimate_tokens

DEFAULT_TOKEN_BUDGET = 4096
"""On a CPU more than this brings nothing: a pass of 64 rows reads each weight once for hundreds of tokens."""

TOKENS_PER_ROW = 64
"""A budget has room for one row in so many tokens: rows shorter than this still take their prompt's memory."""

MAX_PADDING = 0.1
"""Above this share of padding a batch is closed early, if it has `ROWS_FOR_A_FULL_PASS`."""

ROWS_FOR_A_FULL_PASS = 16
"""Below so many rows per pass costs more time than padding does: only attention pads, all other layers do not."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What a batch may cost: `token_budget` is in estimated tokens, padding included; `max_rows` in rows.

    Raises:
        ConfigurationError: a limit is not positive.
    """

    token_budget: int = DEFAULT_TOKEN_BUDGET
    max_rows: int = DEFAULT_TOKEN_BUDGET // TOKENS_PER_ROW

    def __post_init__(self) -> None:
        if self.token_budget < 1 or self.max_rows < 1:
            raise ConfigurationError(
                f"token_budget and max_rows must be at least 1, not {self.token_budget} and {self.max_rows}: raise them"
            )

    @classmethod
    def of_budget(cls, token_budget: int) -> "BatchLimits":
        """The limits that a token budget alone sets: a row for each `TOKENS_PER_ROW`, and at least one.

        Raises:
            ConfigurationError: the budget is not positive.
        """
        return cls(token_budget, max(1, token_budget // TOKENS_PER_ROW))


@runtime_checkable
class Limited(Protocol):
    """An annotator, or whoever speaks for one, that knows what its device can take."""

    @property
    def limits(self) -> BatchLimits:
        """What a batch may cost."""
        ...


def limits_of(annotator: object) -> BatchLimits:
    """The limits that the annotator found for its device, or the default ones where it does not say."""
    return annotator.limits if isinstance(annotator, Limited) else BatchLimits()


@dataclass(frozen=True, slots=True)
class BatchFill:
    """How full batches are: `tokens` of their texts in `slots` with every row at the longest.

    Tokens are estimated where batches are planned, and counted where they are measured.
    """

    tokens: int = 0
    slots: int = 0

    def __add__(self, other: "BatchFill") -> "BatchFill":
        return BatchFill(self.tokens + other.tokens, self.slots + other.slots)

    def __sub__(self, other: "BatchFill") -> "BatchFill":
        return BatchFill(self.tokens - other.tokens, self.slots - other.slots)

    @property
    def padding(self) -> float:
        """Share of the slots that hold no token; 0 where there are none."""
        return 1.0 - self.tokens / self.slots if self.slots else 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one label set that are annotated together.

    `indices[i]` is the place of `requests[i]` in the sequence that was batched, from 0; `longest` is the estimated
    number of tokens of the longest row.
    """

    indices: tuple[int, ...]
    requests: tuple[AnnotationRequest, ...]
    longest: int

    @property
    def tokens(self) -> int:
        """Padded cost in estimated tokens: rows are padded to the longest."""
        return self.longest * len(self.indices)

    def halves(self) -> tuple["Batch", "Batch"]:
        """Two batches that hold each row once, in order; needs at least two rows. `longest` stays an upper bound."""
        middle = len(self.indices) // 2
        return (
            Batch(self.indices[:middle], self.requests[:middle], self.longest),
            Batch(self.indices[middle:], self.requests[middle:], self.longest),
        )


def fill_of(batches: Iterable[Batch]) -> BatchFill:
    """How full these batches are together."""
    return sum((BatchFill(sum(_length(one) for one in batch.requests), batch.tokens) for batch in batches), BatchFill())


def plan_batches(requests: Sequence[AnnotationRequest], *, token_budget: int, max_rows: int) -> list[Batch]:
    """Put each request into exactly one batch.

    A batch has one label set, so that the cached prompt serves all its rows; its padded cost is at most `token_budget`,
    unless it is a single row; it has at most `max_rows` rows, and fewer where one more row, of `ROWS_FOR_A_FULL_PASS`
    and above, would make more than `MAX_PADDING` of it padding. The longest rows come first within a label set.

    Raises:
        ConfigurationError: `token_budget` or `max_rows` is not positive.
    """
    limits = BatchLimits(token_budget, max_rows)
    lengths = [_length(request) for request in requests]
    # Invariant: the same requests make the same batches. The index settles ties of length, so that a rerun and a bug
    # report see the batch that failed.
    order = sorted(range(len(requests)), key=lambda index: (requests[index].label_set, -lengths[index], index))
    return [
        Batch(tuple(rows), tuple(requests[index] for index in rows), lengths[rows[0]])
        for rows in _runs(order, requests, lengths, limits=limits)
    ]


def _length(request: AnnotationRequest) -> int:
    return max(1, estimate_tokens(request.text))


def _runs(
    order: Sequence[int], requests: Sequence[AnnotationRequest], lengths: Sequence[int], *, limits: BatchLimits
) -> Iterator[list[int]]:
    rows: list[int] = []
    fill = BatchFill()
    for index in order:
        with_it = BatchFill(
            fill.tokens + lengths[index], lengths[rows[0]] * (len(rows) + 1) if rows else lengths[index]
        )
        if rows and not (
            requests[index].label_set == requests[rows[0]].label_set
            and len(rows) < limits.max_rows
            and with_it.slots <= limits.token_budget
            and (len(rows) < ROWS_FOR_A_FULL_PASS or with_it.padding <= MAX_PADDING)
        ):
            yield rows
            rows, with_it = [], BatchFill(lengths[index], lengths[index])
        rows.append(index)
        fill = with_it
    if rows:
        yield rows
