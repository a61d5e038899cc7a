"""Looking again and again, for whoever watches a job: a call that is repeated, and what is new in a folder since."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath


@contextmanager
def repeating(act: Callable[[], None], *, every_seconds: float, name: str) -> Iterator[None]:
    """Call `act` at once and then every so many seconds, in a thread of its own, until the block is left.

    When that is, a call that has begun is ended first.
    """
    ended = threading.Event()

    def repeat() -> None:
        while True:
            act()
            if ended.wait(every_seconds):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class FolderWatch:
    """Looks at the JSON files of one folder again and again, hidden ones left out. Not for two threads at once."""

    def __init__(self, folder: StorePath) -> None:
        self._folder = folder
        self._seen: dict[str, int | str] = {}

    @property
    def present(self) -> frozenset[str]:
        """The names, without ending, of the files that were there at the last look."""
        return frozenset(self._seen)

    def changed(self) -> list[str]:
        """The names, without ending, of files that were written, or written anew, since the last look; sorted."""
        before, self._seen = self._seen, self._listed()
        return sorted(name for name, stamp in self._seen.items() if before.get(name) != stamp)

    def _listed(self) -> dict[str, int | str]:
        if isinstance(self._folder, ObjectPath):
            found = ((path.name, status.mark) for path, status in self._folder.listed_here())
            return {name.removesuffix(".json"): mark for name, mark in found if _is_shown(name)}
        try:
            with os.scandir(self._folder) as entries:
                names = [one.name for one in entries if _is_shown(one.name)]
        except FileNotFoundError:
            return {}
        stamps = ((name.removesuffix(".json"), _modified(self._folder / name)) for name in names)
        return {name: stamp for name, stamp in stamps if stamp is not None}


def _is_shown(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _modified(path: Path) -> int | None:
    """When a file was written, in nanoseconds; None if it has gone since it was listed."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
