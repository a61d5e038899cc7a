"""Files in buckets (S3, Google Cloud Storage, Azure): the one way in which all commands list and read them.

fsspec gives names, globs and files; obstore asks the services, one library for all of them. Credentials and endpoints
come from the environment, as the services' own tools read them (AWS_*, GOOGLE_*, AZURE_*), and from nowhere else.
"""

import errno
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Self

from bioner_core.errors import ConfigurationError, InputError, MissingInputError, install_words
from bioner_core.formats.bucket_urls import INPUT_SCHEMES, refuse_credentials
from bioner_core.formats.inputs import COMPANIONS, outside_stores, public_name

_RETRIES = {"max_retries": 4}
"""How often obstore asks again where that makes sense, with growing pauses."""

_STATUS = re.compile(r"status code: (\d{3})")


def is_bucket(name: str) -> bool:
    """Whether a name is the URL of a bucket or of something in one."""
    scheme, mark, _ = name.partition("://")
    return bool(mark) and scheme.lower() in INPUT_SCHEMES


def bucket_files(pattern: str) -> list[str]:
    """The URLs that a URL means: the object of that name, else all below that prefix, else those that the glob matches.

    Below a prefix, hidden files and `.md5` companions are left out, as they are of a local folder.

    Raises:
        MissingInputError: nothing has that name, lies below it, or matches.
        InputError: the bucket cannot be asked; the message says why.
        ConfigurationError: obstore is not installed, or the URL holds credentials.
    """
    files, path = file_system(pattern)
    with told_bucket_errors(pattern):
        if files.isfile(path):
            found = [path]
        elif files.isdir(path):
            found = outside_stores([str(one) for one in files.find(path) if _is_input(str(one)[len(path) :])])
        else:
            found = files.glob(path)
        if not found:
            raise MissingInputError(f"{public_name(pattern)!r} names no file; check the bucket and the pattern")
        return [str(files.unstrip_protocol(one)) for one in found]


@contextmanager
def opened_bucket_file(url: str) -> Iterator[BinaryIO]:
    """A file of a bucket, read as it is asked for and never held whole.

    Reading raises OSError when the service does not answer.

    Raises:
        InputError: it is not there or may not be read.
        ConfigurationError: obstore is not installed, or the URL holds credentials.
    """
    files, path = file_system(url)
    with told_bucket_errors(url):
        files.info(path)  # an object that is not there is told here: obstore's half-opened file complains when it goes
        file = _BucketFile(files.open(path, "rb"))
    with file:
        yield file


def file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a bucket's URL, and the path in it; nothing is asked of the service.

    Raises:
        ConfigurationError: obstore is not installed, or the URL holds credentials.
    """
    refuse_credentials(url, is_pattern=True)
    import fsspec

    try:
        from obstore.fsspec import register
    except ImportError:
        raise ConfigurationError(f"{public_name(url)}: buckets need obstore: {install_words('buckets')}") from None
    register(sorted(INPUT_SCHEMES))
    # Not from fsspec's cache of file systems, which does not see that the environment names another endpoint.
    files, path = fsspec.core.url_to_fs(url, retry_config=_RETRIES, skip_instance_cache=True)
    return files, str(path)


@contextmanager
def told_bucket_errors(url: str) -> Iterator[None]:
    """Say what a service answered without repeating its text, which may hold addresses and keys.

    Raises:
        InputError: the block met an error of obstore or of the system.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        raise InputError(f"{public_name(url)}: {cause_in_words(error)}") from None


def cause_in_words(error: BaseException) -> str | None:
    """What an error of obstore, or of the system, means; None for any other."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    if isinstance(error, FileNotFoundError):
        return "is not there; check the bucket and the name"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return "may not be read with the credentials of the environment (AWS_*, GOOGLE_*, AZURE_*)"
    if isinstance(error, BaseError):
        status = status_of(error)
        return _of_status(status) if status else "the service does not answer; check its address and the network"
    return str(error.strerror or type(error).__name__) if isinstance(error, OSError) else None


def status_of(error: BaseException) -> str:
    """The HTTP status that an error of obstore tells of; empty where it tells of none."""
    found = _STATUS.search(str(error))
    return found[1] if found else ""


def _of_status(status: str) -> str:
    known = {"404": "the bucket is not there", "403": "the bucket may not be read with these credentials"}
    return known.get(status, f"the service answered with HTTP status {status}")


def _is_input(name: str) -> bool:
    parts = name.strip("/").split("/")
    return not any(part.startswith(".") for part in parts) and not name.endswith((*COMPANIONS, "/"))


class _BucketFile(io.RawIOBase, BinaryIO):
    """A file of obstore whose errors are those of the system, as every reader of files expects them."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: services answer for any part of a file."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        return bytes(self._asked("read", size))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go on from there."""
        return int(self._asked("seek", offset, whence))

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            self._file.close()
        super().close()

    def _asked(self, what: str, *words: int) -> Any:
        from obstore.exceptions import BaseError

        try:
            return getattr(self._file, what)(*words)
        except BaseError as error:
            raise OSError(errno.EIO, cause_in_words(error)) from None
