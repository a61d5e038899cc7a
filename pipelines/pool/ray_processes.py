"""The processes of a Ray that was started here, and the end of those that outlive it.

A worker that was just started when its raylet dies waits for it for as long as Ray may take to start, two minutes and
more, and takes its name and command line from nobody that could be asked. So whatever a Ray starts inherits a mark in
its environment, and only what bears the mark of a Ray of our own that is over is ended.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_VARIABLE = "BIONER_RAY"
_PROC = Path("/proc")
_GRACE_SECONDS = 2.0
"""What ends by itself is left to do so."""
_POLL_SECONDS = 0.1
"""Between two looks at what is left: most of it is gone at the first."""


@contextmanager
def marked(mark: str) -> Iterator[None]:
    """Whatever is started within the block, and whatever that starts, bears the mark; this process does not."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = mark
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def marked_processes(mark: str) -> list[int]:
    """The living processes of this user that bear the mark, itself left out; none where there is no /proc."""
    wanted = f"{_VARIABLE}={mark}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and wanted in _environment(pid)]


def end_marked(mark: str) -> list[int]:
    """Kill what still bears the mark after a moment; returns the ids of what was killed. Call it when that Ray is over.

    The moment is short: nobody owns these processes any more, and they hold memory or a GPU.
    """
    deadline = time.monotonic() + _GRACE_SECONDS
    while (left := marked_processes(mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def _pids() -> list[int]:
    if not _PROC.is_dir():
        return []
    return [int(one.name) for one in _PROC.iterdir() if one.name.isdecimal() and _is_ours(one)]


def _is_ours(entry: Path) -> bool:
    try:
        return entry.stat().st_uid == os.geteuid()
    except OSError:  # it has ended meanwhile
        return False


def _environment(pid: int) -> list[bytes]:
    """What a process was started with; empty where it has ended, or is a zombie."""
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
