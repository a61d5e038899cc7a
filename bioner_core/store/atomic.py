"""Durable small steps: a file appears under its final name whole and on disk, or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioner_core.errors import StoreError

TEMPORARY_SUFFIX = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a temporary path in the same folder; on a clean exit it is fsynced and takes the place of `path`.

    Each attempt has a temporary name of its own, so that two writers of one file never mix their bytes.

    Raises:
        StoreError: the file cannot be written (full disk, no permission); `path` is as it was before.
    """
    # Invariant: the temporary file is in the folder of the final one: a rename across file systems is a copy, which a
    # kill can leave half done.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        make_folder(path.parent)
        yield temporary
        # Invariant: a final name stands for whole content, power cuts included. The content is on disk before the
        # rename, else the name may be left on an empty file; the folder after it, since only then is the rename on
        # disk.
        fsync_path(temporary)
        os.replace(temporary, path)
        fsync_path(path.parent)
    except OSError as error:
        raise StoreError(_explain(path, error)) from error
    finally:
        _discard(temporary)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by this text, UTF-8, durably.

    Raises:
        StoreError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_folder(folder: Path) -> None:
    """Create a folder and its parents so that they outlive a power cut.

    Raises:
        OSError: a folder cannot be created.
    """
    if folder.is_dir():
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


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # the disk is already in trouble; the next commit of this shard sweeps it


def _explain(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{path}: the disk is full ({error}), and this file was not written. Free some space and run the same "
            "command again; what was committed before stays"
        )
    return f"{path}: cannot be written ({error}). Check the folder and its permissions, then run the same command again"
