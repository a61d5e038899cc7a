"""Where the named pools of this user are: one small file for each, kept by its owner while it runs.

A pool that started its own Ray can be found by nothing else, since that Ray listens on a port of its choice.
"""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.process_identity import ProcessIdentity, has_ended, is_here, this_process

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOOPBACK = ("127.", "localhost:", "[::1]:")


@dataclass(frozen=True, slots=True)
class PoolAddress:
    """Where a pool is. `address` is that of its Ray, empty while it starts; `tokens` whether that Ray asks for one."""

    name: str
    address: str
    owner: ProcessIdentity | None = None
    tokens: bool = False

    @property
    def namespace(self) -> str:
        """The Ray namespace of its actors."""
        return pool_namespace(self.name)


Announce = Callable[[str, bool], None]
"""Called by a pool's owner with the address of its Ray, and whether that asks for a token, once it can be used."""


def check_pool_name(name: str) -> None:
    """Refuse what cannot be the name of a file, of a Ray namespace and of a Kubernetes object alike.

    Raises:
        ConfigurationError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"name of the pool: is {name!r}; use up to 40 lower-case letters, digits and hyphens, no hyphen first"
        )


def pool_namespace(name: str) -> str:
    """The Ray namespace of the actors of a named pool."""
    return f"bioner-pool-{name}"


def state_folder() -> Path:
    """Where bioner notes what runs: `BIONER_STATE`, else `$XDG_STATE_HOME/bioner`, else `~/.local/state/bioner`."""
    chosen = os.environ.get("BIONER_STATE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bioner"


@contextmanager
def claimed_address(name: str) -> Iterator[Announce]:
    """Hold a name for the block, as the owner of its pool; the file of an owner that has died is taken over.

    Raises:
        ConfigurationError: the name cannot be one.
        PoolError: a pool of this name runs already, or the state folder cannot be written.
    """
    check_pool_name(name)
    owner, path = this_process(), _file_of(name)

    def announce(address: str, tokens: bool) -> None:
        _write(path, PoolAddress(name, address, owner, tokens))

    with _one_at_a_time(path.parent):
        found = _read(path)
        if found is not None and not _is_stale(found):
            raise PoolError(f"a pool {name!r} is there already ({_who(found)}): stop it, or take another --name")
        announce("", False)
    try:
        yield announce
    finally:
        with _one_at_a_time(path.parent):
            path.unlink(missing_ok=True)


def find_address(name: str) -> PoolAddress:
    """Where the pool of this name is, as its owner said.

    Raises:
        ConfigurationError: the name cannot be one.
        PoolError: there is none, it is still starting, its owner has died, or it cannot be reached from this machine.
    """
    check_pool_name(name)
    path = _file_of(name)
    found = _read(path)
    if found is None:
        raise PoolError(
            f"there is no pool {name!r}: start one with `bioner pool start --name {name}`, or say with --ray HOST:PORT "
            "on which cluster it is"
        )
    if _is_stale(found):
        _remove_stale(path)
        raise PoolError(f"the pool {name!r} is gone: {_who(found)} has died; start it again")
    if not found.address:
        raise PoolError(f"the pool {name!r} is still starting ({_who(found)}): try again in a moment")
    if found.owner is not None and not is_here(found.owner) and found.address.startswith(_LOOPBACK):
        raise PoolError(
            f"the pool {name!r} can be used on {found.owner.host} only, where its Ray runs. Run the command on that "
            "machine"
        )
    return found


def _file_of(name: str) -> Path:
    return state_folder() / "pools" / f"{name}.json"


def _is_stale(address: PoolAddress) -> bool:
    return address.owner is not None and is_here(address.owner) and has_ended(address.owner)


def _who(address: PoolAddress) -> str:
    return f"its owner, process {address.owner.pid} on {address.owner.host}," if address.owner else "its owner"


def _remove_stale(path: Path) -> None:
    with _one_at_a_time(path.parent):
        found = _read(path)
        if found is not None and _is_stale(found):
            path.unlink(missing_ok=True)


def _read(path: Path) -> PoolAddress | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return PoolAddress(**values | {"owner": ProcessIdentity(**values["owner"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{path}: cannot be read ({error}); remove it if no pool of this name runs") from error


def _write(path: Path, address: PoolAddress) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")  # readable by its owner only
    with open(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    os.replace(temporary, path)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise PoolError(f"{folder}: cannot be written ({error}); name another folder in BIONER_STATE") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
