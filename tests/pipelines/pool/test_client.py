"""The client against real actors on a local Ray, with an annotator that breaks on command."""

import pickle
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fake_annotators import answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioner_core.errors import PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.records import RejectReason
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.service import AnnotatorSpec

pytestmark = pytest.mark.slow

SETTINGS = ClientSettings(
    token_budget=4096, max_rows=8, deadline_seconds=2.0, seconds_per_token=0.0, grace_seconds=60.0, ping_seconds=2.0
)


@pytest.fixture(scope="module")
def pool(importable_fakes: None) -> Iterator[Pool]:
    """Two actors that survive any number of deaths."""
    with start_pool(
        PoolSettings(actors=2, cpus_per_actor=0.5, local_cpus=2, max_restarts=100),
        AnnotatorSpec("fake_annotators:obedient"),
    ) as pool:
        yield pool


def pids(pool: Pool) -> set[int]:
    """The processes of both actors, once both are up again: seen twice, for one that was just ended may answer once."""
    deadline = time.monotonic() + 60
    found: set[int] = set()
    while time.monotonic() < deadline:
        before, found = found, {status.pid for status in pool.health().values() if status}
        if len(found) == 2 and found == before:
            return found
        time.sleep(0.5)
    pytest.fail("an ended actor did not come back")


def requests(*texts: str, label_set: str = "x") -> list[AnnotationRequest]:
    """Requests of these texts."""
    return [AnnotationRequest(text, label_set) for text in texts]


def rows(count: int) -> list[AnnotationRequest]:
    """Requests that nothing is wrong with."""
    return requests(*(f"row {number}" for number in range(count)))


def annotate(pool: Pool, batch: Sequence[AnnotationRequest], settings: ClientSettings = SETTINGS) -> list[RowResult]:
    """The answers of a new client."""
    return pool.client_factory(settings)().annotate(batch)


def expect_answers(results: Sequence[RowResult], batch: Sequence[AnnotationRequest], *, but: int | None = None) -> None:
    """Each row, except the one named, has its own answer."""
    assert len(results) == len(batch)
    for index, (request, result) in enumerate(zip(batch, results, strict=True)):
        if index != but:
            assert result == answer(request)


def expect_reject(result: RowResult, reason: RejectReason) -> RowError:
    """The result is a reject for this reason."""
    assert isinstance(result, RowError)
    assert result.reason is reason
    return result


def test_many_batches_come_back_in_the_order_of_the_requests(pool: Pool) -> None:
    """Results returned in the order of completion, of length or of label set."""
    batch = [AnnotationRequest(f"row {'x' * (number % 7)} {number}", f"set{number % 3}") for number in range(100)]
    expect_answers(annotate(pool, batch), batch)


def test_a_stream_keeps_its_order_whatever_dies(pool: Pool, tmp_path: Path) -> None:
    """Answers of a buffer that was sent again handed back in place of the next one's; a buffer lost with its actor."""
    buffers = [rows(20), [*rows(9), *requests(f"once {tmp_path / 'flag'} kill")], [], [*rows(3), *requests("kill")]]
    client = pool.client_factory(SETTINGS)()
    found = list(client.annotate_stream(enumerate([rows(5), *buffers])))
    assert [key for key, _, _ in found] == list(range(5))
    *whole, last = (results for _, results, _ in found)
    assert whole == [[answer(row) for row in buffer] for buffer in [rows(5), *buffers[:3]]]
    expect_answers(last, buffers[3], but=3)
    expect_reject(last[3], RejectReason.ACTOR_DIED)
    assert [fill.tokens > 0 for _, _, fill in found] == [True, True, True, False, True]


def test_no_requests_need_no_actor(pool: Pool) -> None:
    """A client that waits for an answer to nothing."""
    assert annotate(pool, []) == []


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.integers(1, 4))
def test_random_service_times_do_not_misplace_answers(pool: Pool, milliseconds: list[int], max_rows: int) -> None:
    """An answer filed under the batch that was sent, not the one that arrived; reversed input, other answers."""
    batch = requests(*(f"sleep {time / 1000} {number}" for number, time in enumerate(milliseconds)))
    batch += requests(*(f"sleep {time / 1000}" for time in milliseconds))
    settings = ClientSettings(max_rows=max_rows)
    results = annotate(pool, batch, settings)
    expect_answers(results, batch)
    assert annotate(pool, batch[::-1], settings) == results[::-1]


def test_an_actor_killed_in_a_batch_costs_no_row(pool: Pool, tmp_path: Path) -> None:
    """Rows of a batch whose actor died lost, answered twice, or rejected after one death."""
    batch = [*rows(30), *requests(f"once {tmp_path / 'flag'} kill")]
    expect_answers(annotate(pool, batch), batch)
    assert (tmp_path / "flag").exists()


def test_a_poison_row_alone_is_rejected(pool: Pool) -> None:
    """Mates of a row that kills its process rejected with it, or the row sent for ever."""
    batch = [*rows(11), *requests("kill")]
    results = annotate(pool, batch)
    expect_answers(results, batch, but=11)
    assert expect_reject(results[11], RejectReason.ACTOR_DIED).attempts == SETTINGS.max_attempts


def test_rows_that_wait_behind_a_poison_row_are_not_charged(pool: Pool) -> None:
    """Rows rejected because they stood in line at an actor that another row killed."""
    batch = [*rows(12), *requests("kill", label_set="first")]
    results = annotate(pool, batch, ClientSettings(max_rows=1, max_attempts=1))
    expect_answers(results, batch, but=12)
    assert expect_reject(results[12], RejectReason.ACTOR_DIED).attempts == 1


def test_a_lost_device_ends_the_process_and_tells_why(pool: Pool) -> None:
    """An actor that lives on with a dead GPU context; a reject that hides the CUDA error."""
    before = pids(pool)
    (result,) = annotate(pool, requests("cuda"))
    reject = expect_reject(result, RejectReason.ACTOR_DIED)
    assert "illegal memory access" in reject.message
    assert "RuntimeError: CUDA error" in reject.traceback
    expect_answers(annotate(pool, rows(20)), rows(20))
    assert pids(pool) != before


def test_a_row_that_raises_is_rejected_alone_with_its_traceback(pool: Pool) -> None:
    """An exception in the model that fails the batch or the job."""
    batch = [*rows(7), *requests("raise bad-row")]
    results = annotate(pool, batch)
    expect_answers(results, batch, but=7)
    reject = expect_reject(results[7], RejectReason.ANNOTATION_FAILED)
    assert "ValueError: bad-row" in reject.traceback


def test_batches_too_large_for_the_device_are_halved(pool: Pool) -> None:
    """Out of memory that loses or doubles a row, or leaves the actor."""
    batch = [*rows(15), *requests("oom-above 2")]
    expect_answers(annotate(pool, batch, ClientSettings(max_rows=16)), batch)


@pytest.mark.parametrize("how", ["sleep 600", "hold", "stop"])
def test_a_hung_actor_is_ended_and_its_rows_answered_elsewhere(pool: Pool, tmp_path: Path, how: str) -> None:
    """A job that waits for ever: asleep, holding the interpreter lock, or stopped so that even a ping hangs."""
    batch = [*rows(30), *requests(f"once {tmp_path / 'flag'} {how}")]
    expect_answers(annotate(pool, batch), batch)


def test_a_row_that_always_hangs_is_rejected_alone_for_its_deadline(pool: Pool) -> None:
    """A row that hangs every actor in turn, its mates rejected with it, or filed as a death of no known cause."""
    batch = [*rows(3), *requests("sleep 600")]
    results = annotate(pool, batch)
    expect_answers(results, batch, but=3)
    assert "more than 2 s" in expect_reject(results[3], RejectReason.DEADLINE).message


def test_a_batch_that_only_waits_in_line_is_not_overdue(pool: Pool) -> None:
    """A deadline counted from sending: waiting batches kill a healthy actor that works on someone else's."""
    before = pids(pool)
    batch = requests(*(f"sleep 1 {number}" for number in range(12)))
    settings = ClientSettings(max_rows=1, window=6, deadline_seconds=3.0, seconds_per_token=0.0)
    expect_answers(annotate(pool, batch, settings), batch)
    assert pids(pool) == before


def test_ping_answers_while_a_batch_runs(pool: Pool) -> None:
    """A ping in the line of the batches: a busy actor looks dead."""
    client = threading.Thread(
        target=annotate, args=(pool, requests("sleep 4", "sleep 4 b"), ClientSettings(max_rows=1))
    )
    client.start()
    try:
        while not any(status and status.batch_id for status in pool.health().values()):
            assert client.is_alive()
        assert not any(status.overdue for status in pool.health().values() if status)
    finally:
        client.join()


def test_two_clients_share_the_pool(pool: Pool, tmp_path: Path) -> None:
    """Clients that take each other's answers, or charge their own rows with another's poison."""
    mine, theirs = [*rows(40), *requests("kill")], requests(*(f"sleep 0.01 {number}" for number in range(60)))
    found: list[list[RowResult]] = []
    other = threading.Thread(target=lambda: found.append(annotate(pool, theirs)))
    other.start()
    results = annotate(pool, mine)
    other.join()
    expect_answers(results, mine, but=40)
    expect_reject(results[40], RejectReason.ACTOR_DIED)
    expect_answers(found[0], theirs)


def test_a_wrong_number_of_results_stops_the_client(pool: Pool) -> None:
    """Answers shifted by one row and stored as if they were right."""
    with pytest.raises(PoolError, match=r"3 results for 2 rows"):
        annotate(pool, requests("miscount a", "b"))
    expect_answers(annotate(pool, rows(3)), rows(3))


def test_a_client_works_in_another_process(pool: Pool) -> None:
    """A factory that cannot be pickled, a client that works only in the launcher, or one that imports torch."""

    script = """
    import os, pickle, sys
    factory, batch = pickle.loads(bytes.fromhex(sys.stdin.read()))
    results = factory().annotate(batch)
    assert "torch" not in sys.modules
    print(pickle.dumps(results).hex())
    """
    sent = pickle.dumps((pool.client_factory(SETTINGS), rows(20))).hex()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        input=sent, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    expect_answers(pickle.loads(bytes.fromhex(done.stdout)), rows(20))  # noqa: S301  our own process wrote it
