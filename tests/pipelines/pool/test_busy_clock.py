"""How busy actors are, by a clock that the test winds."""

import pytest

from pipelines.pool import load
from pipelines.pool.load import BusyClock, BusyTime, busy_between


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set in place."""
    time = [100.0]
    monkeypatch.setattr(load.time, "monotonic", lambda: time[0])
    return time


def test_the_time_before_the_first_batch_does_not_count(now: list[float]) -> None:
    """Catches a share that falls while a model loads or a pool waits for its first job."""
    clock = BusyClock()
    now[0] += 50
    assert clock.read() == BusyTime()
    assert clock.read().share is None
    with clock.working():
        now[0] += 3
    now[0] += 1
    assert clock.read() == BusyTime(3.0, 4.0)
    assert clock.read().share == 0.75


def test_a_batch_that_still_runs_counts_and_one_that_fails_does_too(now: list[float]) -> None:
    """Catches a clock that only moves at the end of a batch, or that stands still after an exception."""
    clock = BusyClock()

    def fail() -> None:
        with clock.working():
            now[0] += 2
            assert clock.read() == BusyTime(2.0, 2.0)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    now[0] += 2
    assert clock.read() == BusyTime(2.0, 4.0)


def test_what_a_run_did_is_told_from_what_was_before_it() -> None:
    """Catches a second job that is given the idle time before it, or negative time for an actor that restarted."""
    before = {"a": (1, BusyTime(10, 20)), "b": (2, BusyTime(7, 7))}
    after = {"a": (1, BusyTime(15, 30)), "b": (3, BusyTime(2, 3)), "c": (4, BusyTime(1, 1))}
    assert busy_between(before, after) == BusyTime(5 + 2 + 1, 10 + 3 + 1)
