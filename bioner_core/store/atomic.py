"""Durable small steps: a file appears under its final name whole and on disk, or not at all.

On object storage it does so by itself: an object is put whole.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bioner_core.errors import StoreError
from bioner_core.process_identity import process_mark
from bioner_core.store.left_behind import TEMPORARY_SUFFIX, temporary_folder
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath

_NAME_CHARACTERS = 64
"""Of a file's name in that of its temporary one: all of an input's key, and no more than a file system takes."""


@contextmanager
def replacing(path: StorePath) -> Iterator[Path]:
    """Lend a temporary path in the same folder; on a clean exit it is fsynced and takes the place of `path`.

    For an object the temporary path is in a folder for such, and what it holds is put. Each attempt has a temporary
    name of its own, so that two writers of one file never mix their bytes.

    Raises:
        StoreError: the file cannot be written (full disk, no permission); `path` is as it was before.
    """
    if isinstance(path, ObjectPath):
        with _uploading(path) as temporary:
            yield temporary
        return
    # Invariant: the temporary file is in the folder of the final one: a rename across file systems is a copy, which a
    # kill can leave half done.
    temporary = path.with_name(
        f".{path.name[:_NAME_CHARACTERS]}.{process_mark()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    )
    with write_trouble(path), _discarded(temporary):
        make_folder(path.parent)
        yield temporary
        # Invariant: a final name stands for whole content, power cuts included. The content is on disk before the
        # rename, else the name may be left on an empty file; the folder after it, since only then is the rename on
        # disk.
        fsync_path(temporary)
        os.replace(temporary, path)
        fsync_path(path.parent)


@contextmanager
def _uploading(path: ObjectPath) -> Iterator[Path]:
    with write_trouble(path), temporary_folder("upload") as folder:
        temporary = folder / path.name
        yield temporary
        path.put_file(temporary)


def write_bytes(path: StorePath, content: Any) -> None:
    """Replace `path` by this content, which has the buffer protocol, durably.

    Raises:
        StoreError: as `replacing`.
    """
    if isinstance(path, ObjectPath):
        path.put(memoryview(content).cast("B"))
        return
    with replacing(path) as temporary, temporary.open("wb") as stream:
        stream.write(content)


def write_text(path: StorePath, text: str) -> None:
    """Replace `path` by this text, UTF-8, durably.

    An object is put through the fence that this process has raised for its store; without one it is a plain put, which
    no lease guards.

    Raises:
        StoreError: as `replacing`, or the lease of that fence is lost.
    """
    if isinstance(path, ObjectPath):
        path.commit(text.encode())
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_folder(folder: StorePath) -> None:
    """Create a folder and its parents so that they outlive a power cut.

    Raises:
        OSError: a folder cannot be created.
    """
    if isinstance(folder, ObjectPath) or folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_path(folder.parent)


def fsync_path(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on disk.

    Raises:
        OSError: the path cannot be opened or the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_stale(path: StorePath) -> None:
    """Remove a file that nobody needs any more, if it is there.

    Raises:
        StoreError: it cannot be removed.
    """
    with stale_trouble(path):
        path.unlink(missing_ok=True)


@contextmanager
def stale_trouble(path: StorePath) -> Iterator[None]:
    """Within the block what is stale is removed; an error of the system says what to do.

    Raises:
        StoreError: it cannot be removed.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: is stale and cannot be removed ({error}). Remove it by hand") from error


@contextmanager
def write_trouble(path: StorePath) -> Iterator[None]:
    """Within the block a file is written; an error of the system says what to do.

    Raises:
        StoreError: it cannot be written: the disk is full, or permission is lacking.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(_explain(path, error)) from error


@contextmanager
def _discarded(temporary: Path) -> Iterator[None]:
    try:
        yield
    finally:
        # Where that fails the disk is already in trouble; the next job on the store sweeps it.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _explain(path: StorePath, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{path}: the disk is full ({error}), and this file was not written. Free some space and run the same "
            "command again; what was committed before stays"
        )
    if isinstance(path, ObjectPath):
        return f"{path}: cannot be made ({error}). Check the folder of temporary files, then run the same command"
    return f"{path}: cannot be written ({error}). Check the folder and its permissions, then run the same command again"
