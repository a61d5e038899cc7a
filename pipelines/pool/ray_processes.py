"""What a Ray that is started here must not leave open or behind: its folder and token, and its processes.

Ray makes its folders writable by everybody and its token readable by everybody, below places that are known; whoever
has the token and the port runs code as the user of the job. So its folder is one that its owner alone may enter, and
so is that of its token.

A worker that was just started when its raylet dies waits for it for as long as Ray may take to start, two minutes and
more, and takes its name and command line from nobody that could be asked. So whatever a Ray starts inherits a mark in
its environment, and only what bears the mark of a Ray of our own that is over is ended.
"""

import os
import secrets
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]  # no stubs

from bioner_core.errors import PoolError
from pipelines.pool.pool_registry import state_folder

_LONGEST_ROOT = 30
"""A socket's path may have 107 bytes, of which Ray needs about 65 below its folder."""

_PATH_VARIABLE = "RAY_AUTH_TOKEN_PATH"
_OWN_VARIABLE = "RAY_AUTH_TOKEN"
_set_here: set[str] = set()


def private_ray_folder() -> Path:
    """A new folder for the sockets and logs of one Ray, which its owner alone may enter.

    Raises:
        PoolError: it cannot be made.
    """
    root = tempfile.gettempdir()
    if len(root) > _LONGEST_ROOT:
        # The folder that is made below it is new, and has mode 0700.
        root = "/tmp"  # noqa: S108  # nosec B108
    try:
        return Path(tempfile.mkdtemp(prefix="bioner-ray-", dir=root))
    except OSError as error:
        raise PoolError(f"{root}: no folder for Ray can be made there ({error}); name another one in TMPDIR") from error


def token_file() -> Path:
    """Where the token is that a Ray of bioner asks for; in a folder that its owner alone may enter."""
    return state_folder() / "ray" / "token"


def use_private_token() -> None:
    """Let this process and its children show the token of `token_file`, which is made if it is not there.

    A token that the environment names (`RAY_AUTH_TOKEN`, `RAY_AUTH_TOKEN_PATH`) stays.

    Raises:
        PoolError: others may read the token, or it cannot be made.
    """
    if os.environ.get(_OWN_VARIABLE):
        return
    named = os.environ.get(_PATH_VARIABLE, "")
    if named and named not in _set_here:
        check_private(Path(named))
        return
    path = token_file()
    _make_token(path)
    check_private(path.parent)
    check_private(path)
    _set_here.add(str(path))
    os.environ[_PATH_VARIABLE] = str(path)
    AuthenticationTokenLoader.instance().reset_cache()


def check_private(path: Path) -> None:
    """Refuse a file or folder that anybody but its owner may open, or that is another user's.

    Raises:
        PoolError: it is one, or is not there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise PoolError(f"{path}: cannot be read ({error}); check RAY_AUTH_TOKEN_PATH") from error
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise PoolError(
            f"{path}: is another user's, or others may read it, and whoever reads it runs code as you. Remove it, "
            "stop the pools that use it, and start again: a new one is made"
        )


def _make_token(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise PoolError(f"{path}: cannot be made ({error}); name another folder in BIONER_STATE") from error
    with open(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32))


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


def marked_processes(mark: str, *, variable: str = _VARIABLE) -> list[int]:
    """The living processes of this user with the mark in this variable, itself left out; none where there is no /proc.

    Without a `variable` it is that of `marked`.
    """
    wanted = f"{variable}={mark}".encode()
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
