"""An object as a file of which only what is read is asked for."""

import io

from bioner_core.store.objects import requests

_END_BYTES = 128 * 1024
"""What is asked for first, from the end: there a Parquet file says what it holds, and small files are whole in it."""


class RangedFile(io.RawIOBase):
    """Reads an object by ranges; its end is kept. Errors come with the first read, not when it is made.

    Not for two threads at once.
    """

    def __init__(self, bucket: str, key: str, *, end: tuple[bytes, int] | None = None) -> None:
        self._bucket = bucket
        self._key = key
        self._end = end
        self._position = 0

    @property
    def end(self) -> tuple[bytes, int]:
        """The last bytes of the object, and how many it has; kept, so that it may be opened again with them.

        Raises:
            FileNotFoundError: the object is not there.
            ObjectStorageError: the service does not answer, or refuses.
        """
        if self._end is None:
            self._end = requests.get_end(self._bucket, self._key, size=_END_BYTES)
        return self._end

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go on from there."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        self._position = max(0, offset + (self.end[1] if start is None else start))
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes, as many as there are; empty only at the end.

        Raises:
            FileNotFoundError: the object is not there.
            ObjectStorageError: the service does not answer, or refuses.
        """
        kept, total = self.end
        start = min(self._position, total)
        stop = total if size is None or size < 0 else min(total, start + size)
        first_kept = total - len(kept)
        if start >= first_kept:
            found = kept[start - first_kept : stop - first_kept]
        elif start < stop:
            found = requests.get_range(self._bucket, self._key, start=start, length=stop - start)
        else:
            found = b""
        self._position = start + len(found)
        return found

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """As `read`, into a buffer."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
