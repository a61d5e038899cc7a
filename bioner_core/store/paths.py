"""Where files of a store are: in a folder of this machine, or on object storage. Both answer to the same words."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from bioner_core.store.objects.object_path import ObjectPath

StorePath: TypeAlias = Path | ObjectPath


def sorted_paths(paths: Iterable[StorePath]) -> list[StorePath]:
    """In the order of their names; all are of one store."""
    return sorted(paths, key=str)


def scratch_beside(path: StorePath) -> Path | None:
    """Where files for the moment go that belong to a folder: into it, since beside a store's files there is room.

    None, the system's folder for such files, where it is on object storage.
    """
    return path if isinstance(path, Path) else None
