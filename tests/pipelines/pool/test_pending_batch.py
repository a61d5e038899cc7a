"""What failures mean for the rows of a batch."""

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.inference.annotation import AnnotationRequest, RowError
from bioner_core.inference.batching import Batch
from bioner_core.records import RejectReason
from pipelines.pool.pending_batch import ActorFailure, PendingBatch

DEATH = ActorFailure(RejectReason.ACTOR_DIED, "it died", "its traceback")


def pending(rows: int) -> PendingBatch:
    """A pending of so many rows that has caused no failure."""
    requests = tuple(AnnotationRequest(str(index), "x") for index in range(rows))
    return PendingBatch(Batch(tuple(range(rows)), requests, longest=1))


def test_the_first_death_may_be_chance() -> None:
    """A batch cut up, and so slowed, because a machine was taken away once."""
    assert pending(4).after(DEATH, max_attempts=3) == [PendingBatch(pending(4).batch, failures=(DEATH,))]


@given(st.integers(2, 70), st.data(), st.integers(1, 5))
def test_bisection_finds_the_poison_row_and_answers_all_others(
    rows: int, data: st.DataObject, max_attempts: int
) -> None:
    """A mate rejected with the poison row, the poison row never given up, or more failures than halving needs."""
    poison = data.draw(st.integers(0, rows - 1))
    queue, answered, rejected, failures = [pending(rows)], list[int](), list[int](), 0
    while queue:
        current = queue.pop()
        if poison not in current.batch.indices:
            answered.extend(current.batch.indices)
            continue
        failures += 1
        outcome = current.after(DEATH, max_attempts=max_attempts)
        if isinstance(outcome, RowError):
            rejected.extend(current.batch.indices)
        else:
            queue.extend(outcome)
    assert rejected == [poison]
    assert sorted(answered) == [index for index in range(rows) if index != poison]
    assert failures <= 2 + rows.bit_length() + max_attempts


def test_the_reject_says_why_and_how_often() -> None:
    """A reject row without its cause."""
    alone = PendingBatch(pending(1).batch, failures=(DEATH, DEATH))
    assert alone.after(DEATH, max_attempts=3) == RowError(RejectReason.ACTOR_DIED, "it died", "its traceback", 3)


def test_a_chance_death_does_not_change_the_reason() -> None:
    """A row that kills its reader, filed as overdue because its actor happened to be hung up once."""
    chance = ActorFailure(RejectReason.DEADLINE, "it hung")
    for order in ([DEATH, DEATH, chance], [DEATH, chance, DEATH], [chance, DEATH, DEATH]):
        *before, last = order
        outcome = PendingBatch(pending(1).batch, failures=tuple(before)).after(last, max_attempts=3)
        assert outcome == RowError(RejectReason.ACTOR_DIED, "it died", "its traceback", 3)


def test_a_mate_of_the_poison_row_starts_afresh() -> None:
    """A healthy row rejected for failures of the row beside it, because its own actor was taken away twice."""
    pair = PendingBatch(pending(2).batch, failures=(DEATH,))
    halves = pair.after(DEATH, max_attempts=3)
    assert isinstance(halves, list)
    assert [half.failures for half in halves] == [(), ()]
    again = halves[1].after(DEATH, max_attempts=3)
    assert isinstance(again, list)
    assert isinstance(again[0].after(DEATH, max_attempts=3), list)
