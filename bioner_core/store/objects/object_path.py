"""The place of an object, with the words of `pathlib.Path`: whoever reads a store need not know where it is.

It holds no connection and no credentials, so it travels between processes. Folders are only what keys have in common:
they are there as soon as something is in them, and need not be made.
"""

import io
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from bioner_core.errors import ConfigurationError
from bioner_core.formats.bucket_urls import STORE_SCHEMES, refuse_credentials
from bioner_core.formats.inputs import public_name
from bioner_core.store.objects import requests
from bioner_core.store.objects.fence import adopt_fence, exported_fence, fence_of
from bioner_core.store.objects.ranged_file import RangedFile

_READ_AHEAD = 4 * 1024 * 1024
"""Bytes that are asked for at once by whoever reads a file from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """What `stat` tells of an object: bytes, and when it was put, by the clock of the service.

    `mark` changes whenever the object does.
    """

    st_size: int
    st_mtime: float
    mark: str

    @property
    def st_mtime_ns(self) -> int:
        """As `st_mtime`, in nanoseconds."""
        return int(self.st_mtime * 1e9)


@dataclass(frozen=True, order=True)
class ObjectPath:
    """`bucket` is a URL without a slash at its end, `key` what follows; an empty key is the bucket itself."""

    bucket: str
    key: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """The place that a URL names; nothing is asked.

        Raises:
            ConfigurationError: its scheme is of no object storage, it holds credentials, or it names no bucket.
        """
        scheme, mark, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        if not mark or scheme not in STORE_SCHEMES:
            known = ", ".join(f"{one}://" for one in STORE_SCHEMES)
            raise ConfigurationError(f"{public_name(url)}: is on no object storage that is known here; use {known}")
        refuse_credentials(url, is_pattern=True)  # a query is refused below, whatever it is
        parts = [part for part in key.split("/") if part]
        if not bucket or any(part in (".", "..") for part in parts) or any(sign in rest for sign in "?#"):
            raise ConfigurationError(f"{public_name(url)}: names no place in a bucket; use {scheme}://BUCKET/FOLDER")
        return cls(f"{scheme}://{bucket}", "/".join(parts))

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    def __truediv__(self, name: str) -> "ObjectPath":
        return ObjectPath(self.bucket, "/".join(part for part in (self.key, name.strip("/")) if part))

    def __reduce__(self) -> tuple[Any, ...]:
        """A path takes the lease along under which its process may write there: workers of a job write for it."""
        return _arrived, (self.bucket, self.key, exported_fence(self.bucket, self.key))

    @cached_property
    def _pure(self) -> PurePosixPath:
        return PurePosixPath(self.key)

    @property
    def name(self) -> str:
        """The last part."""
        return self._pure.name

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return self._pure.stem

    @property
    def suffix(self) -> str:
        """The ending of the last part, with its dot."""
        return self._pure.suffix

    @property
    def parent(self) -> "ObjectPath":
        """The folder."""
        return ObjectPath(self.bucket, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> "ObjectPath":
        """Another one in the same folder."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> "ObjectPath":
        """The same name with another ending."""
        return self.parent / self._pure.with_suffix(suffix).name

    def relative_to(self, folder: "ObjectPath") -> PurePosixPath:
        """What comes after a folder.

        Raises:
            ValueError: it is not in that folder.
        """
        if self.bucket != folder.bucket:
            raise ValueError(f"{self} is not below {folder}")
        return self._pure.relative_to(folder._pure)

    def absolute(self) -> "ObjectPath":
        """It is."""
        return self

    def resolve(self) -> "ObjectPath":
        """There are no links."""
        return self

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: there are no folders."""

    def exists(self) -> bool:
        """Whether it is an object or a folder with something in it; asks twice at most."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Whether it is an object."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        """Whether it is a folder with something in it."""
        return requests.has_any_below(self.bucket, self.key)

    def stat(self) -> ObjectStatus:
        """Size and time.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectStorageError: the service does not answer, or refuses.
        """
        return _status(requests.head(self.bucket, self.key))

    def read_bytes(self) -> bytes:
        """All of it.

        Raises:
            FileNotFoundError, ObjectStorageError: as `stat`.
        """
        return requests.get(self.bucket, self.key).content

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """All of it, as text.

        Raises:
            FileNotFoundError, ObjectStorageError: as `stat`.
            UnicodeDecodeError: it is no such text.
        """
        return self.read_bytes().decode(encoding, errors)

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """A file to read from its beginning to its end, never held whole.

        Raises:
            FileNotFoundError, ObjectStorageError: as `stat`, at the first read.
        """
        if mode != "rb":
            raise ValueError(f"{self}: objects are put whole; {mode!r} is no way to open one")
        return io.BufferedReader(self.ranged(), _READ_AHEAD)

    def ranged(self) -> RangedFile:
        """A file of which only what is read is asked for: for readers that know where to look, as those of Parquet."""
        return RangedFile(self.bucket, self.key)

    def put(self, content: Any) -> None:
        """Put it in place of any other: whole, or not at all. `content` has the buffer protocol.

        Raises:
            ObjectStorageError: the service does not answer, or refuses; what was there before is there.
        """
        requests.put(self.bucket, self.key, content=content)

    def put_file(self, file: Path) -> None:
        """As `put`, of what a file of this machine holds.

        Raises:
            OSError: the file cannot be read.
            ObjectStorageError: as `put`.
        """
        with file.open("rb") as stream:
            if not file.stat().st_size:  # there is nothing to map
                self.put(b"")
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                self.put(content)

    def commit(self, content: bytes) -> None:
        """As `put`, through the fence that this process has raised for the store: whoever lost its lease cannot.

        Where it has raised none, this is `put`.

        Raises:
            StoreError: the lease of that fence is lost; what was there before is there.
            ObjectStorageError: as `put`.
        """
        fence = fence_of(self.bucket, self.key)
        if fence is None:
            self.put(content)
        else:
            fence.put(self.key, content)

    def swap(self, content: bytes) -> bool:
        """Put it in place of what stands there now; False where somebody else did so in between.

        Raises:
            ObjectStorageError: as `put`.
        """
        try:
            before = requests.get(self.bucket, self.key)
        except FileNotFoundError:
            return bool(requests.put_if(self.bucket, self.key, content=content, e_tag=""))
        if before.content == content:
            return True
        return bool(requests.put_if(self.bucket, self.key, content=content, e_tag=before.e_tag))

    def unlink(self, missing_ok: bool = False) -> None:
        """Take it away; no error where it is not there, since the services tell of none.

        Raises:
            ObjectStorageError: the service does not answer, or refuses.
        """
        requests.delete(self.bucket, [self.key])

    def iterdir(self) -> Iterator["ObjectPath"]:
        """What is right below it, in the order of the names."""
        return (path for path, _ in self._children())

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        """What matches a pattern below it; `*` never goes into a folder. Asks once for each folder that matches."""
        first, _, rest = pattern.partition("/")
        if not any(sign in first for sign in "*?["):
            if rest:
                yield from (self / first).glob(rest)
            elif (self / first).exists():
                yield self / first
            return
        for path, is_folder in self._children():
            if fnmatchcase(path.name, first.replace("[^", "[!")):
                if not rest:
                    yield path
                elif is_folder:
                    yield from path.glob(rest)

    def rglob(self, pattern: str) -> Iterator["ObjectPath"]:
        """Every object below it whose name matches a pattern, by key."""
        return (path for path, _ in self.listed() if fnmatchcase(path.name, pattern))

    def listed(self) -> Iterator[tuple["ObjectPath", ObjectStatus]]:
        """Every object below it with size and time, by key, as far as one listing tells."""
        for one in requests.below(self.bucket, self.key):
            yield ObjectPath(self.bucket, one.key), _status(one)

    def listed_here(self) -> Iterator[tuple["ObjectPath", ObjectStatus]]:
        """Every object right below it, in folders none, with size and time."""
        for one in requests.children(self.bucket, self.key)[1]:
            yield ObjectPath(self.bucket, one.key), _status(one)

    def _children(self) -> Iterator[tuple["ObjectPath", bool]]:
        folders, objects = requests.children(self.bucket, self.key)
        found = [(ObjectPath(self.bucket, key), True) for key in folders]
        yield from sorted(found + [(ObjectPath(self.bucket, one.key), False) for one in objects])


def _status(one: requests.Listed) -> ObjectStatus:
    return ObjectStatus(one.size, one.modified, one.e_tag)


def _arrived(bucket: str, key: str, exported: tuple[str, ...]) -> ObjectPath:
    if exported:
        adopt_fence(exported)
    return ObjectPath(bucket, key)
