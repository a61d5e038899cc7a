"""Which document indexes may hold a text: one look-up for a whole run.

Opened anew for each input, the indexes of n inputs cost a backfill of n inputs n times n openings: 10,000 articles of
PMC took six seconds each. Here each index is opened once, and the first eight bytes of its digests go to a file that
has no name and ends with its process: 300 MB for all of PubMed. An input scans that file.

What is found is a hint. Whoever uses an index reads it, compares it with its digest, and looks at the shards that it
names: one that was replaced since, or removed, does no harm here.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

from bioner_core.errors import StoreError
from bioner_core.store.history.document_index import INDEX_SUFFIX, index_files, text_digests
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath, scratch_beside

_PREFIX_BYTES = 8
"""Of 40 million texts and an input of 30,000, one in a million inputs reads an index for nothing."""
_SCANNED_AT_ONCE = 1 << 20
"""Texts, eight bytes each: a scan takes some 30 MB, however many texts there are."""
_LISTING_SHARE = 0.05
"""Listing the indexes takes no more than this share of the time, so that a run of many inputs is not quadratic in them;
what other processes and this one add meanwhile is seen that much later."""


class KnownTexts:
    """The texts of a store's document indexes, for the inputs that one process plans. Several threads may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._paths: list[StorePath] = []
        self._ends: list[int] = []
        self._marks: dict[str, str] = {}
        self._listed_at = -float("inf")
        self._listing_seconds = 0.0

    def indexes_with(self, digests: Iterable[bytes]) -> list[StorePath]:
        """The document indexes that may have one of these digests of texts, in the order of their names.

        Raises:
            StoreError: the indexes cannot be listed, or there is no room for a file of this run.
        """
        wanted = np.unique(np.array([_prefix(one) for one in digests], np.uint64))
        with self._lock:
            try:
                self._look_for_new()
                found = self._owners(wanted) if len(wanted) else set()
            except OSError as error:
                raise StoreError(f"{self._store}: the document indexes cannot be looked up ({error})") from error
            return sorted((self._paths[place] for place in found), key=str)

    def _look_for_new(self) -> None:
        started = time.monotonic()
        if (started - self._listed_at) * _LISTING_SHARE < self._listing_seconds:
            return
        listed = [(path, mark) for path, mark in self._listed() if self._marks.get(path.name) != mark]
        self._listing_seconds, self._listed_at = time.monotonic() - started, time.monotonic()
        for path, mark in listed:
            self._marks[path.name] = mark
            self._add(path)

    def _listed(self) -> Iterator[tuple[StorePath, str]]:
        """Each index, and what tells it from one that took its place."""
        folder = self._store.register
        if isinstance(folder, ObjectPath):
            found = ((path, status.mark) for path, status in folder.listed_here())
            yield from (one for one in found if one[0].suffix == INDEX_SUFFIX)
            return
        for path in index_files(self._store):
            with suppress(FileNotFoundError):  # it was removed since it was listed
                facts = path.stat()
                yield path, f"{facts.st_mtime_ns} {facts.st_size}"

    def _add(self, path: StorePath) -> None:
        """Add the texts of an index. Those that it had before stay: they are hints."""
        try:
            found = [np.frombuffer(one, np.uint64)[::2] for one in text_digests(path)]
        except StoreError:  # a damaged one, whose texts go to the model: no run fails because of it
            return
        if self._file is None:
            self._file = self._opened()
        for prefixes in found:
            self._file.write(prefixes.tobytes())
        self._file.flush()
        self._paths.append(path)
        self._ends.append((self._ends[-1] if self._ends else 0) + sum(map(len, found)))

    def _opened(self) -> IO[bytes]:
        """A file for this run: beside the store there is room that a small /tmp may not have."""
        try:
            return TemporaryFile(dir=scratch_beside(self._store.root))
        except OSError:
            return TemporaryFile()

    def _owners(self, wanted: npt.NDArray[np.uint64]) -> set[int]:
        """The places in `_paths` of the indexes that have one of these prefixes, which ascend. Shape: (prefixes,)."""
        texts = self._ends[-1] if self._ends else 0
        if self._file is None or not texts:
            return set()
        kept = np.memmap(self._file, np.uint64, "r", shape=(texts,))
        ends, found = np.array(self._ends), set[int]()
        for start in range(0, texts, _SCANNED_AT_ONCE):
            chunk = kept[start : start + _SCANNED_AT_ONCE]
            nearest = np.minimum(np.searchsorted(wanted, chunk), len(wanted) - 1)
            hits = np.flatnonzero(wanted[nearest] == chunk) + start
            found.update(np.searchsorted(ends, hits, side="right").tolist())
        return found


def _prefix(digest: bytes) -> int:
    return int(np.frombuffer(digest[:_PREFIX_BYTES], np.uint64)[0])
