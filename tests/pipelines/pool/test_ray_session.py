"""The Ray of one command: what is there while it runs, and what is left of it."""

import os
import signal
from pathlib import Path
from types import FrameType

import pytest
import ray

from bioner_core.errors import PoolError
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.ray_session import ray_session

pytestmark = pytest.mark.slow


def log_folder() -> Path:
    """Where the Ray of this process keeps its logs and sockets."""
    return Path(ray._private.worker._global_node.get_session_dir_path())


def fail_within(folders: list[Path]) -> None:
    """A command that starts Ray, and ends with an error of its own."""
    with ray_session(PoolSettings(local_cpus=1)):
        folders.append(log_folder())
        raise ZeroDivisionError


@pytest.mark.usefixtures("importable_fakes")
def test_nothing_is_left_unless_there_was_an_error() -> None:
    """Catches half a megabyte that each command leaves in the folder for temporary files, and logs of a failed command
    that nobody can read any more."""
    with ray_session(PoolSettings(local_cpus=1)):
        folder = log_folder()
        assert folder.is_dir()
    assert not ray.is_initialized()
    assert not folder.exists()
    failed: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        fail_within(failed)
    assert not ray.is_initialized()
    assert os.listdir(failed[0] / "logs")


@pytest.mark.usefixtures("importable_fakes")
def test_a_handler_of_the_process_stays() -> None:
    """Catches Ray's own handler of SIGTERM, whose exit is dropped in a callback at a fork: the signal was lost, and the
    job went on."""
    seen: list[int] = []

    def own(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, own)
    try:
        with ray_session(PoolSettings(local_cpus=1)) as address:
            assert signal.getsignal(signal.SIGTERM) is own
            signal.raise_signal(signal.SIGTERM)
        assert address
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_a_ray_that_is_not_up_in_time_is_started_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches one late start on a busy machine that ends a night, and an end that does not say what would help."""
    tries: list[object] = []

    def late(**settings: object) -> None:
        tries.append(settings)
        raise RuntimeError("the node was not up in time")

    monkeypatch.setattr(ray, "init", late)
    with pytest.raises(PoolError, match=r"tried twice.*give it more time"), ray_session(PoolSettings(local_cpus=1)):
        pass
    assert len(tries) == 2
