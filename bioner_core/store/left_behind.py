"""What a process needs for the moment, named so that others can see when it is gone: what killed ones left is removed.

A kill runs no `finally`: the half of a file, and what a sort has spilt to disk, stay. Each such name holds the mark of
its process, and so nobody removes what a living one needs, whether it holds the lock of the store or only reads.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bioner_core.process_identity import has_left, process_mark
from bioner_core.store.layout import Store

TEMPORARY_SUFFIX = ".tmp"
_SCRATCH = (".current-", ".reading-", ".counting-")
_PREFIX = "bioner-"
_LONG_AGO = 7 * 24 * 3600.0
"""Seconds after which something counts as left though its process cannot be asked for: nothing takes a week."""


@contextmanager
def scratch_in(folder: Path | None, *, prefix: str, elsewhere: str) -> Iterator[Path]:
    """Lend a folder for the block, in `folder` where that can be written; else as `temporary_folder`.

    Raises:
        OSError: none can be made.
    """
    try:
        made = TemporaryDirectory(prefix=f"{prefix}{process_mark()}-", dir=folder) if folder is not None else None
    except OSError:
        made = None
    with made or temporary_folder(elsewhere) as found:
        yield Path(found)


@contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """Lend a folder of the system's temporary ones for the block.

    Raises:
        OSError: none can be made.
    """
    _sweep_temporary(os.getpid())
    with TemporaryDirectory(prefix=f"{_PREFIX}{kind}-{process_mark()}-") as found:
        yield Path(found)


def left_behind(store: Store) -> list[Path]:
    """The temporary files and folders of processes that have ended, in the folders of a store that hold few files each.

    Those in the folders of a shard are removed by its next commit. On object storage nothing is left.
    """
    if store.is_remote:
        return []
    found = (path for folder in _places(store) for path in _hidden(folder))
    return sorted(path for path in found if _is_temporary(path, store) and _is_left(path))


def sweep_left_behind(store: Store) -> None:
    """Remove what `left_behind` names. What cannot be removed stays, and is named again."""
    for path in left_behind(store):
        _remove(path)


def _places(store: Store) -> Iterator[Path]:
    ledger = store.ledger.iterdir() if store.ledger.is_dir() else ()
    folders = (store.manifests, store.plans, store.jobs, store.register, store.models, store.links, store.locks)
    yield from (one for one in (store.root, *folders, store.standard_input, *ledger) if isinstance(one, Path))


def _hidden(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.name.startswith(".")]
    except OSError:  # it is not there, or no folder
        return []


def _is_temporary(path: Path, store: Store) -> bool:
    return path.name.endswith(TEMPORARY_SUFFIX) or path.name.startswith(_SCRATCH) or path.parent == store.standard_input


def _is_left(path: Path) -> bool:
    ended = has_left(path.name)
    if ended is not None:
        return ended
    try:
        return time.time() - path.lstat().st_mtime > _LONG_AGO
    except OSError:  # it is gone
        return False


@cache
def _sweep_temporary(pid: int) -> None:
    """Once in a process: remove the temporary folders of this user's processes that have ended."""
    for path in _temporary():
        _remove(path)


def _temporary() -> list[Path]:
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(_PREFIX)
            and has_left(entry.name)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        ]
    return []


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink(missing_ok=True)
