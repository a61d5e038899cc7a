"""A pool that grows and shrinks while clients use it, on a real local Ray."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_annotators import answer

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from pipelines.pool import actor_slot
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_report import SlotState
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("address")]

OBEDIENT = AnnotatorSpec("fake_annotators:obedient")
ONE_DEATH = ClientSettings(max_rows=1, max_attempts=1, grace_seconds=60.0)
"""With it a single death that is charged to a row shows as a reject."""

ONE_EACH = replace(ONE_DEATH, window=1)
"""With it as many rows as there are actors run at once, one at each."""


def settings(**values: object) -> PoolSettings:
    """Settings of a small pool whose actors any number of which fit."""
    return PoolSettings(**{"actors": 1, "cpus_per_actor": 0, **values})  # type: ignore[arg-type]


def slow_rows(count: int, seconds: float = 0.05) -> list[AnnotationRequest]:
    """Rows that each take so long."""
    return [AnnotationRequest(f"sleep {seconds} {number}", "x") for number in range(count)]


def names(pool: Pool) -> list[str]:
    """The actors that there are, in any state."""
    return [report.name for report in pool.supervisor.reports()]


def working(pool: Pool, actors: int) -> Callable[[], bool]:
    """Whether there are exactly so many actors, all of them up."""
    up = (SlotState.IDLE, SlotState.BUSY)
    return lambda: [report.state in up for report in pool.supervisor.reports()] == [True] * actors


class Feeder(threading.Thread):
    """A client at work in a thread of its own."""

    def __init__(self, pool: Pool, rows: Sequence[AnnotationRequest], limits: ClientSettings = ONE_DEATH) -> None:
        super().__init__()
        self._client = pool.client_factory(limits)()
        self._rows = rows
        self.results: list[RowResult] = []
        self.error: PoolError | None = None
        self.start()

    def run(self) -> None:
        """Annotate all rows."""
        try:
            self.results = self._client.annotate(self._rows)
        except PoolError as error:
            self.error = error

    def expect_answers(self) -> None:
        """Wait for the end, and fail unless each row has its own answer."""
        self.join(timeout=120)
        assert self.error is None
        assert self.results == [answer(row) for row in self._rows]


def test_a_client_at_work_takes_up_new_actors() -> None:
    """Clients that know only the actors of the start, so that new GPUs idle until every job is started again."""
    with start_pool(settings(), OBEDIENT) as pool:
        feeder = Feeder(pool, slow_rows(200))
        pool.scale(3)
        kv = PoolKV(pool.settings.namespace)
        await_true(lambda: all(kv.last_running(f"bioner-annotator-{number}") for number in range(3)))
        feeder.expect_answers()


def test_actors_that_are_let_go_end_what_they_run() -> None:
    """Rows lost, or charged with a death, because a pool was made smaller; an actor that is never let go."""
    with start_pool(settings(actors=3), OBEDIENT) as pool:
        feeder = Feeder(pool, slow_rows(150))
        await_true(lambda: all(report.state is SlotState.BUSY for report in pool.supervisor.reports()))
        pool.scale(1)
        await_true(lambda: names(pool) == ["bioner-annotator-0"])
        feeder.expect_answers()
        assert list(pool.health()) == ["bioner-annotator-0"]


def test_a_long_batch_is_not_cut_short() -> None:
    """A drain that waits for a fixed while and then kills what still runs."""
    with start_pool(settings(actors=2), OBEDIENT) as pool:
        feeder = Feeder(pool, slow_rows(2, seconds=6.0), ONE_EACH)
        await_true(lambda: all(report.state is SlotState.BUSY for report in pool.supervisor.reports()))
        pool.scale(1)
        feeder.expect_answers()
        await_true(working(pool, 1))


def test_a_pool_that_breathes_loses_nothing() -> None:
    """A race between an answer on its way, a batch just sent, and the end of the actor's process."""
    with start_pool(settings(actors=3), OBEDIENT) as pool:
        feeders = [Feeder(pool, slow_rows(600, seconds=0.02)) for _ in range(2)]
        for actors in (1, 3, 2, 4, 1, 3):
            pool.scale(actors)
            time.sleep(1.5)
        for feeder in feeders:
            feeder.expect_answers()
        await_true(working(pool, 3))


def test_an_actor_that_hangs_is_let_go_when_the_time_is_up() -> None:
    """A pool that cannot be made smaller because one actor never ends."""
    with start_pool(settings(actors=2, drain_seconds=1.0), OBEDIENT) as pool:
        feeder = Feeder(pool, slow_rows(2, seconds=30.0), ClientSettings(max_rows=1, window=1, grace_seconds=2.0))
        await_true(lambda: all(report.state is SlotState.BUSY for report in pool.supervisor.reports()))
        pool.scale(1)
        await_true(lambda: names(pool) == ["bioner-annotator-0"], seconds=20.0)
    feeder.join(timeout=60)
    assert feeder.error is not None


def test_an_actor_still_loading_is_let_go_at_once(tmp_path: Path) -> None:
    """A model load of minutes that must end before a mistaken scale-up can be taken back."""
    with start_pool(settings(), AnnotatorSpec("fake_annotators:loads_once", {"flag": str(tmp_path / "flag")})) as pool:
        pool.scale(2)
        await_true(lambda: names(pool) == ["bioner-annotator-0", "bioner-annotator-1"])
        pool.scale(1)
        await_true(lambda: names(pool) == ["bioner-annotator-0"], seconds=20.0)
        Feeder(pool, slow_rows(3)).expect_answers()


def test_failed_starts_are_tried_ever_more_seldom(tmp_path: Path) -> None:
    """A model on a broken disk that is loaded again and again without a pause."""
    starts = tmp_path / "starts"
    spec = AnnotatorSpec("fake_annotators:broken_at", {"starts": str(starts)})
    with (
        pytest.raises(PoolError, match="3 times in a row"),
        start_pool(settings(back_off_seconds=1.5, longest_back_off_seconds=2.0), spec),
    ):
        pytest.fail("a pool without an actor")
    first, second, third = map(float, starts.read_text().split())
    assert second - first >= 1.5
    assert third - second >= 2.0


def test_back_off_doubles_up_to_its_cap() -> None:
    """A wait that grows without bound, or not at all."""
    chosen = PoolSettings(back_off_seconds=1.0, longest_back_off_seconds=10.0)
    assert [chosen.back_off(failures) for failures in (0, 1, 2, 3, 4, 5, 10_000)] == [0, 1, 2, 4, 8, 10, 10]


def test_a_name_that_was_given_up_is_replaced_when_the_pool_is_scaled(tmp_path: Path) -> None:
    """A pool that stays one actor short for ever, though the fault is repaired and its owner asks again."""
    flag = tmp_path / "flag"
    spec = AnnotatorSpec("fake_annotators:broken_when", {"flag": str(flag)})
    warned: list[str] = []
    with start_pool(settings(actors=1, max_failed_starts=1), spec, warn=warned.append) as pool:
        flag.touch()
        pool.scale(2)
        await_true(lambda: SlotState.GIVEN_UP in [report.state for report in pool.supervisor.reports()])
        (broken,) = [report for report in pool.supervisor.reports() if report.state is SlotState.GIVEN_UP]
        assert "the model file is gone" in broken.last_error
        flag.unlink()
        pool.scale(2)
        await_true(working(pool, 2))
        assert names(pool) == ["bioner-annotator-0", "bioner-annotator-2"]
    assert len(warned) == 1
    assert "bioner-annotator-1 failed to start 1 times in a row" in warned[0]


def test_a_pool_that_is_stopped_ends_what_runs_and_tells_its_clients() -> None:
    """Clients that wait out all their policy for a pool that was stopped on purpose, or a running batch cut off."""
    with start_pool(settings(actors=2), OBEDIENT) as pool:
        short, endless = Feeder(pool, slow_rows(2, seconds=4.0), ONE_EACH), Feeder(pool, slow_rows(10_000))
        await_true(lambda: all(report.state is SlotState.BUSY for report in pool.supervisor.reports()))
        pool.supervisor.dismiss(30.0)
        await_true(lambda: names(pool) == [], seconds=30.0)
        endless.join(timeout=30)
        assert endless.error is not None
        assert "it was stopped" in str(endless.error)
        short.expect_answers()


def test_restarts_are_counted() -> None:
    """A report that says nothing of an actor that dies again and again."""
    with start_pool(settings(), OBEDIENT) as pool:
        Feeder(pool, [AnnotationRequest("kill", "x")], ClientSettings(max_attempts=2)).join()
        await_true(lambda: pool.supervisor.reports()[0].restarts == 2)
        await_true(working(pool, 1))


def test_an_actor_that_answers_nothing_is_told_from_a_busy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that calls an actor busy for ever, since that is the last that was heard of it."""
    monkeypatch.setattr(actor_slot, "_SILENT_SECONDS", 1.5)
    with start_pool(settings(), OBEDIENT) as pool:
        status = pool.health()["bioner-annotator-0"]
        assert status is not None
        os.kill(status.pid, signal.SIGSTOP)
        await_true(lambda: pool.supervisor.reports()[0].state is SlotState.SILENT)
        os.kill(status.pid, signal.SIGCONT)
        await_true(working(pool, 1))


def test_a_pool_that_comes_back_with_another_model_is_not_used() -> None:
    """A job that goes on with another model, and stores its answers under the fingerprint of the first."""
    with start_pool(settings(namespace="switched"), OBEDIENT) as pool:
        client = pool.client_factory(ONE_DEATH)()
        assert client.annotate(slow_rows(1)) == [answer(row) for row in slow_rows(1)]
    spec = AnnotatorSpec("fake_annotators:other")
    with start_pool(settings(namespace="switched"), spec) as pool:
        with pytest.raises(PoolError, match="holds another model now"):
            client.annotate(slow_rows(1))
        assert pool.client_factory(ONE_DEATH)().annotate(slow_rows(1)) == [answer(row) for row in slow_rows(1)]


def test_no_pool_has_no_actor() -> None:
    """A pool scaled to nothing, whose clients wait in vain."""
    with start_pool(settings(), OBEDIENT) as pool, pytest.raises(ConfigurationError, match="actors must be at least 1"):
        pool.scale(0)


def test_two_clients_of_very_different_size_share_an_actor(tmp_path: Path) -> None:
    """A small job that waits until a backfill has ended, rather than for a window of its batches at each turn."""
    log = tmp_path / "log"
    spec = AnnotatorSpec("fake_annotators:logging", {"log": str(log), "seconds": 0.02})
    limits = ClientSettings(max_rows=1, window=2)
    with start_pool(settings(), spec) as pool:
        large = Feeder(pool, [AnnotationRequest(f"large {number}", "x") for number in range(600)], limits)
        await_true(lambda: log.exists() and len(log.read_text().split()) > 10)
        small = Feeder(pool, [AnnotationRequest(f"small {number}", "x") for number in range(10)], limits)
        small.expect_answers()
        assert large.is_alive(), "the large job was over too soon to compare with"
        large.expect_answers()
    order = log.read_text().split()
    turns = [place for place, size in enumerate(order) if size == "small"]
    waited = [later - earlier - 1 for earlier, later in itertools.pairwise(turns)]
    assert max(waited) <= 2 * limits.window
