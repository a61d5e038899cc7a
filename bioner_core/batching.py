"""Sentences to batches under a token budget (DESIGN 4.8); a pure function: the same sentences make the same batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bioner_core.annotation import AnnotationRequest
from bioner_core.errors import ConfigurationError
from bioner_core.text.units import estimate_tokens


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


def plan_batches(requests: Sequence[AnnotationRequest], *, token_budget: int, max_rows: int) -> list[Batch]:
    """Put each request into exactly one batch.

    A batch has one label set, so that the cached prompt serves all its rows; its padded cost is at most `token_budget`,
    unless it is a single row; it has at most `max_rows` rows. The longest rows come first within a label set.

    Raises:
        ConfigurationError: `token_budget` or `max_rows` is not positive.
    """
    if token_budget < 1 or max_rows < 1:
        raise ConfigurationError(
            f"token_budget and max_rows must be at least 1, not {token_budget} and {max_rows}: raise them"
        )
    lengths = [max(1, estimate_tokens(request.text)) for request in requests]
    order = sorted(range(len(requests)), key=lambda index: (requests[index].label_set, -lengths[index], index))
    return [
        Batch(tuple(rows), tuple(requests[index] for index in rows), lengths[rows[0]])
        for rows in _runs(order, requests, lengths, token_budget=token_budget, max_rows=max_rows)
    ]


def _runs(
    order: Sequence[int],
    requests: Sequence[AnnotationRequest],
    lengths: Sequence[int],
    *,
    token_budget: int,
    max_rows: int,
) -> Iterator[list[int]]:
    rows: list[int] = []
    for index in order:
        if rows and not (
            requests[index].label_set == requests[rows[0]].label_set
            and len(rows) < max_rows
            and lengths[rows[0]] * (len(rows) + 1) <= token_budget
        ):
            yield rows
            rows = []
        rows.append(index)
    if rows:
        yield rows
