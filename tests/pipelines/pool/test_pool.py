"""Starting, watching and ending the actors, on a real local Ray."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import ray
from fake_annotators import answer

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowError
from bioner_core.inference.batching import BatchLimits
from pipelines.pool.pool import start_pool
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.ray_session import join_ray
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("address")]

OBEDIENT = AnnotatorSpec("fake_annotators:obedient")
ROWS = [AnnotationRequest(f"row {number}", "x") for number in range(10)]
ANSWERS = [answer(row) for row in ROWS]


def settings(**values: object) -> PoolSettings:
    """Settings of a small pool."""
    return PoolSettings(**{"actors": 2, "cpus_per_actor": 0.5, **values})  # type: ignore[arg-type]


def kill_request() -> list[AnnotationRequest]:
    """A row that kills its actor."""
    return [AnnotationRequest("kill", "x")]


def named_actors() -> list[object]:
    """Every actor that Ray knows by name."""
    return list(ray.util.list_named_actors(all_namespaces=True))


def await_end(pids: set[int]) -> None:
    """Fail unless these processes end by themselves."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=20)
    assert not alive


def test_a_pool_ends_all_its_actors(address: str) -> None:
    """Actors left behind that hold the GPU against the next job."""
    with start_pool(settings(), OBEDIENT) as pool:
        assert pool.client_factory()().annotate(ROWS) == ANSWERS
        assert pool.address == address
        assert pool.fingerprint == "obedient"
        pids = {status.pid for status in pool.health().values() if status}
        assert len(pids) == 2
    assert named_actors() == []
    await_end(pids)
    assert ray.is_initialized(), "a Ray that was there before must stay"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_no_actor(error: type[BaseException]) -> None:
    """Orphans after a failed or interrupted job."""
    with pytest.raises(error), start_pool(settings(), OBEDIENT):
        raise error
    assert named_actors() == []


def test_a_constructor_that_always_fails_stops_the_start(tmp_path: Path) -> None:
    """A start that is tried for ever, or an error that hides the actor's own traceback."""
    starts = tmp_path / "starts"
    spec = AnnotatorSpec("fake_annotators:broken", {"starts": str(starts)})
    with pytest.raises(PoolError) as caught, start_pool(settings(actors=1, max_failed_starts=3), spec):
        pytest.fail("a pool without an actor")
    assert "3 times in a row" in str(caught.value)
    assert "ValueError: no such model as snark-7b" in str(caught.value)
    assert "fake_annotators.py" in str(caught.value)
    assert len(starts.read_text().split()) == 3
    assert named_actors() == []


def test_one_failed_start_is_tried_again(tmp_path: Path) -> None:
    """A passing fault at the start that ends the job."""
    spec = AnnotatorSpec("fake_annotators:broken_once", {"flag": str(tmp_path / "flag")})
    with start_pool(settings(actors=1), spec) as pool:
        assert pool.client_factory()().annotate(ROWS) == ANSWERS


def test_a_start_without_end_has_a_deadline() -> None:
    """A launcher that waits for ever for a model that never loads; a message that does not name the actor."""
    spec = AnnotatorSpec("fake_annotators:speechless")
    with (
        pytest.raises(PoolError, match=r"did not start in 3 s \(bioner-annotator-0"),
        start_pool(settings(actors=1, start_seconds=3), spec),
    ):
        pytest.fail("a pool without an actor")
    assert named_actors() == []


def test_actors_that_ray_gave_up_are_made_anew() -> None:
    """A pool that shrinks to nothing when `max_restarts` is used up."""
    with start_pool(settings(actors=1, max_restarts=0), OBEDIENT) as pool:
        client = pool.client_factory(ClientSettings(max_attempts=2))()
        (result,) = client.annotate(kill_request())
        assert isinstance(result, RowError)
        assert client.annotate(ROWS) == ANSWERS


def test_clients_hear_that_the_pool_gave_up(tmp_path: Path) -> None:
    """Clients that wait out their whole policy for actors that will never come, and then do not say why."""
    flag = tmp_path / "flag"
    spec = AnnotatorSpec("fake_annotators:broken_when", {"flag": str(flag)})
    with start_pool(settings(actors=1, max_failed_starts=2), spec) as pool:
        flag.touch()
        started = time.monotonic()
        with pytest.raises(PoolError, match="the model file is gone"):
            pool.client_factory(ClientSettings(grace_seconds=3600))().annotate(kill_request())
        assert time.monotonic() - started < 3600


def test_clients_of_an_ended_pool_stop_waiting() -> None:
    """A client that waits for ever for actors that nobody will start."""
    with start_pool(settings(actors=1), OBEDIENT) as pool:
        client = pool.client_factory(ClientSettings(grace_seconds=1.5))()
        assert client.annotate(ROWS) == ANSWERS
    with pytest.raises(PoolError, match="no actor answered"):
        client.annotate(ROWS)


def test_a_client_outlives_an_outage() -> None:
    """A client that counts the time between two calls, or before an outage was repaired, as waiting in vain."""
    with start_pool(settings(actors=1, namespace="again"), OBEDIENT) as pool:
        client = pool.client_factory(ClientSettings(grace_seconds=5.0))()
        assert client.annotate(ROWS) == ANSWERS
    with pytest.raises(PoolError, match="no actor answered"):
        client.annotate(ROWS)
    with start_pool(settings(actors=1, namespace="again"), OBEDIENT):
        assert client.annotate(ROWS) == ANSWERS


def test_endless_deaths_stop_the_client() -> None:
    """A machine on which every batch kills its actor, rejected row by row for days."""
    rows = [AnnotationRequest("kill", "x") for _ in range(8)]
    limits = ClientSettings(max_consecutive_deaths=2)
    with start_pool(settings(actors=1), OBEDIENT) as pool, pytest.raises(PoolError, match="died 3 times"):
        pool.client_factory(limits)().annotate(rows)


def test_a_namespace_is_not_shared() -> None:
    """A second launcher that kills the actors of the first."""
    with start_pool(settings(actors=1, namespace="taken"), OBEDIENT) as pool:
        with (
            pytest.raises(PoolError, match="another pool runs there"),
            start_pool(settings(actors=1, namespace="taken"), OBEDIENT),
        ):
            pytest.fail("two pools of one name")
        assert pool.client_factory()().annotate(ROWS) == ANSWERS


def test_actors_get_their_threads() -> None:
    """Each of several actors with as many threads as the machine has processors."""
    with start_pool(settings(actors=1, threads_per_actor=3), OBEDIENT) as pool:
        (status,) = pool.health().values()
        assert status is not None
        assert psutil.Process(status.pid).environ()["OMP_NUM_THREADS"] == "3"


def test_a_process_stays_with_its_ray() -> None:
    """A job that silently runs on another cluster than the one it was told."""
    with (
        pytest.raises(ConfigurationError, match="is connected to Ray at"),
        start_pool(settings(ray_address="127.0.0.1:1"), OBEDIENT),
    ):
        pytest.fail("the wrong cluster")


def test_ray_listens_on_loopback_only(address: str) -> None:
    """A Ray on a laptop that anyone on the network can give work to."""
    assert address.startswith("127.0.0.1:")
    listening = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            sockets = process.net_connections("tcp")
            listening += [socket.laddr for socket in sockets if socket.status == psutil.CONN_LISTEN]
    assert listening
    assert {socket.ip for socket in listening} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


LAUNCHER = """
import sys, time
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true
from pipelines.pool.pool import start_pool
from pipelines.pool.pool_settings import PoolSettings
with start_pool(PoolSettings(actors=2, cpus_per_actor=0.5), AnnotatorSpec("fake_annotators:obedient")) as pool:
    print(*(status.pid for status in pool.health().values()), "torch" in sys.modules, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_launcher_leaves_no_process(importable_fakes: None, sent: signal.Signals) -> None:
    """Ctrl-C, or a killed job, after which Ray and its actors live on; a launcher that imports torch."""
    launcher = subprocess.Popen([sys.executable, "-c", textwrap.dedent(LAUNCHER)], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    *pids, torch_imported = launcher.stdout.readline().split()
    assert torch_imported == "False"
    family = {child.pid for child in psutil.Process(launcher.pid).children(recursive=True)}
    assert {int(pid) for pid in pids} <= family
    os.kill(launcher.pid, sent)
    launcher.wait(timeout=60)
    launcher.stdout.close()
    # After SIGKILL Ray's own agents (not its actors) take a minute to notice.
    await_end({int(pid) for pid in pids} if sent == signal.SIGKILL else family)


def test_an_address_where_nothing_listens_is_named() -> None:
    """A wrong address that ends in a stack trace of Ray's, or in silence."""
    script = """
    from pipelines.pool.ray_session import join_ray
    from bioner_core.errors import PoolError
    try:
        join_ray("127.0.0.1:1", namespace="x")
    except PoolError as error:
        print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=200, check=False
    )
    assert "cannot join Ray at 127.0.0.1:1" in done.stdout, done.stderr


def test_joining_twice_is_joining_once(address: str) -> None:
    """Two DoFns of one process, the second of which fails because Ray is there already."""
    join_ray(address, namespace="x")
    join_ray(address, namespace="y")


def test_clients_keep_to_what_the_actors_found() -> None:
    """A budget that was found on the device and is not used, or not overruled by one that is set."""
    with start_pool(settings(actors=1), AnnotatorSpec("fake_annotators:limited", {"token_budget": 128})) as pool:
        assert pool.limits == BatchLimits(128, 2)
        client = pool.client_factory()()
        crowded = [AnnotationRequest("oom-above 2", "x")] * 8
        assert all(isinstance(one, tuple) for one in client.annotate(crowded))
        assert client._limits == BatchLimits(128, 2)
        ((_, _, fill),) = client.annotate_stream([("all", crowded)])
        assert fill.tokens == fill.slots > 0
        set_by_hand = pool.client_factory(ClientSettings(token_budget=6400))()
        assert set_by_hand._limits == BatchLimits(6400, 100)


def test_work_begins_with_the_first_actor_and_the_others_join(tmp_path: Path) -> None:
    """Fifteen GPUs that idle for a quarter of an hour, and then fail the job, because the sixteenth is taken."""
    spec = AnnotatorSpec("fake_annotators:waits_its_turn", {"folder": str(tmp_path)})
    told: list[str] = []
    with start_pool(settings(actors=3, least_actors=1), spec, tell=told.append) as pool:
        assert pool.client_factory()().annotate(ROWS) == ANSWERS
        assert len(pool.health()) == 1
        assert sorted(pool.absent().values()) == ["starting", "starting"]
        (tmp_path / "go").touch()
        await_true(lambda: len(pool.health()) == 3)
        assert pool.absent() == {}
        assert pool.client_factory()().annotate(ROWS) == ANSWERS
    assert "1 of 3 actors are ready" in told[0]
    assert any("3 of 3 actors are ready" in one for one in told)


def test_a_pool_needs_as_many_actors_as_it_was_told(tmp_path: Path) -> None:
    """A job that runs for a week on one actor although it must not begin with fewer than two."""
    spec = AnnotatorSpec("fake_annotators:loads_once", {"flag": str(tmp_path / "flag")})
    with (
        pytest.raises(PoolError, match="2 must be ready"),
        start_pool(settings(actors=3, least_actors=2, start_seconds=6), spec),
    ):
        pytest.fail("one actor is too few")


def test_actors_have_the_priority_of_their_launcher() -> None:
    """A model that goes after whatever else runs on the machine, since Ray makes its workers nice by 15."""
    with start_pool(settings(actors=1), OBEDIENT) as pool:
        (status,) = pool.health().values()
        assert status is not None
        assert os.getpriority(os.PRIO_PROCESS, status.pid) == os.getpriority(os.PRIO_PROCESS, 0)


_STARVED = """
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true
from pipelines.pool.pool import start_pool
from pipelines.pool.pool_settings import PoolSettings
settings = PoolSettings(actors=1, cpus_per_actor=0.5, start_seconds=40)
with start_pool(settings, AnnotatorSpec("fake_annotators:speechless"), warn=print):
    pass
"""


def test_actors_that_ray_ends_for_memory_are_told_of() -> None:
    """An hour of slowness without a word, while Ray ends the actor again and again because the machine is full."""
    starved = {"RAY_memory_usage_threshold": "0.01", "RAY_memory_monitor_refresh_ms": "250"}
    found = subprocess.run(
        [sys.executable, "-c", _STARVED],
        env=os.environ | starved,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "their machine ran out of memory" in found.stdout
    assert "PoolError" in found.stderr
