"""Downloads that go on where they broke off, take their name only when whole, and have the MD5 that is stated."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import fsspec

from bioner_core.errors import InputError
from bioner_core.formats.buckets import is_bucket, opened_bucket_file
from bioner_core.formats.inputs import public_name
from bioner_core.store.atomic import fsync_path, make_folder, write_trouble
from pipelines.sync.http import body_chunks, cause_of, http_get
from pipelines.sync.listing import ListedFile
from pipelines.sync.retry import PassingFault, RetryPolicy, with_retries

PARTIAL_SUFFIX = ".part"
MAX_COMPANION_BYTES = 4096

_CHUNK_BYTES = 256 * 1024


def local_copy(listed: ListedFile, folder: Path, *, md5: str, policy: RetryPolicy) -> Path:
    """A path to a whole file: the file itself where it is local, else its download in `folder`.

    With `md5` (lower-case hex; empty: none is known) a file is given out only if it has that digest. A download that
    has not is thrown away and made once more from the start, in case an interrupted one was of an older file.

    Raises:
        InputError: it cannot be downloaded, or has another digest.
        StoreError: the disk refuses.
    """
    if not listed.remote:
        return _checked(Path(listed.location), md5, listed.name)
    path = folder / listed.name
    if md5 and path.is_file() and md5_of(path) == md5:
        return path
    partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
    resumed = partial.is_file()
    if not md5:
        partial.unlink(missing_ok=True)  # nothing would show that two halves are not of one file
    _download(listed, partial, policy)
    try:
        _checked(partial, md5, listed.name)
    except InputError:
        partial.unlink(missing_ok=True)
        if not resumed:
            raise
        _download(listed, partial, policy)
        _checked(partial, md5, listed.name)
    with write_trouble(path):
        fsync_path(partial)
        os.replace(partial, path)
        fsync_path(path.parent)
    return path


def small_text(listed: ListedFile, policy: RetryPolicy) -> str:
    """The text of a companion file.

    Raises:
        InputError: it cannot be read, or is not small.
    """
    content = with_retries(lambda: _read_small(listed, policy), policy, progress=lambda: 0)
    if len(content) > MAX_COMPANION_BYTES:
        raise InputError(f"{public_name(listed.location)}: has more than {MAX_COMPANION_BYTES} bytes")
    return content.decode("utf-8", "replace")


def _checked(path: Path, md5: str, name: str) -> Path:
    found = md5_of(path) if md5 else ""
    if found != md5:
        raise InputError(
            f"{name}: has the MD5 {found}, but its companion says {md5}; nothing of it was applied. "
            "If this lasts, the file is damaged where it comes from"
        )
    return path


def _download(listed: ListedFile, partial: Path, policy: RetryPolicy) -> None:
    def size() -> int:
        return partial.stat().st_size if partial.exists() else 0

    with write_trouble(partial):
        make_folder(partial.parent)
        with_retries(lambda: _append(listed, partial, size(), policy), policy, progress=size)


def _append(listed: ListedFile, partial: Path, offset: int, policy: RetryPolicy) -> None:
    with _source(listed, offset, policy) as (start, chunks), partial.open("r+b" if offset else "wb") as file:
        file.truncate(start)
        file.seek(start)
        for chunk in chunks:
            file.write(chunk)


@contextmanager
def _source(listed: ListedFile, offset: int, policy: RetryPolicy) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The bytes of a file and the offset from which they are: what was asked for, or 0 if the server will not."""
    if urlsplit(listed.location).scheme not in ("http", "https"):
        with _opened(listed) as file:
            file.seek(offset)
            yield offset, iter(lambda: _read(file, listed), b"")
        return
    headers = {"Range": f"bytes={offset}-"} if offset else None
    with http_get(listed.location, policy, headers=headers) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            yield offset, iter(())  # there is nothing beyond; the digest tells whether what is here is right
        else:
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            yield offset if resumed else 0, body_chunks(response, _CHUNK_BYTES)


def _read_small(listed: ListedFile, policy: RetryPolicy) -> bytes:
    if not listed.remote:
        return _read_local(Path(listed.location))
    content = b""
    with _source(listed, 0, policy) as (_, chunks):
        for chunk in chunks:
            content += chunk
            if len(content) > MAX_COMPANION_BYTES:
                break
    return content


def _read_local(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_COMPANION_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


@contextmanager
def _opened(listed: ListedFile) -> Iterator[BinaryIO]:
    if is_bucket(listed.location):
        with opened_bucket_file(listed.location) as found:
            yield found
        return
    try:
        file = fsspec.open(listed.location, "rb").open()
    except FileNotFoundError:
        raise InputError(f"{public_name(listed.location)}: is gone since it was listed") from None
    except OSError as error:
        raise PassingFault(f"{public_name(listed.location)}: cannot be opened: {cause_of(error).words}") from None
    with file:
        yield file


def _read(file: BinaryIO, listed: ListedFile) -> bytes:
    try:
        return file.read(_CHUNK_BYTES)
    except OSError as error:
        raise PassingFault(f"{public_name(listed.location)}: reading failed: {cause_of(error).words}") from None


COMPANION = ".md5"

_FORMS = (
    re.compile(r"MD5 ?\((?P<name>[^)]+)\) ?= ?(?P<digest>[0-9a-fA-F]{32})"),
    re.compile(r"(?P<digest>[0-9a-fA-F]{32})(?:[ \t]+\*?(?P<name>\S+))?"),
)


def stated_md5(text: str, *, name: str) -> str:
    """The digest, in lower case, that a companion states: `MD5(name)= digest`, `digest  name`, or a bare digest.

    Raises:
        InputError: it states none, or one of another file than `name`.
    """
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found:
            stated = (found["name"] or name).rpartition("/")[2]
            if stated != name:
                raise InputError(f"{name}{COMPANION}: is of another file, {stated!r}; nothing of {name} was applied")
            return found["digest"].lower()
    raise InputError(f"{name}{COMPANION}: holds no MD5 digest: {text[:60]!r}; nothing of {name} was applied")


def md5_of(path: Path) -> str:
    """The MD5 of a file, in lower-case hex.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
