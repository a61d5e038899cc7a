"""Requests to object storage: asked again when they fail, and safe to ask again when an answer was lost.

Every object is put by one request and appears whole or not at all. No upload has parts, so a kill leaves none behind.
What is not there is a `FileNotFoundError`; any other error says what the service answered without its text, which may
hold addresses and keys.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from bioner_core.errors import ConfigurationError, ObjectStorageError
from bioner_core.formats.buckets import cause_in_words, status_of
from bioner_core.store.objects.credentials import file_credentials

SCHEMES = ("s3", "gs", "az")
"""What the URL of a store may begin with; only s3 has been tried."""

PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between two tries of a request, half or half more of each by chance: eight tries in about 13 s."""
_TIMEOUTS = {"connect_timeout": "10s", "timeout": "300s"}
"""A request ends within five minutes, a file of 256 MB on a slow line too, and long before a lease of 15 minutes."""
_PASSING = frozenset({"408", "409", "412", "429"})
"""Answers of the kind 4xx after which the same request may succeed: too slow, in conflict with another, too many."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was read: `modified` is when it was put, in seconds since 1970 by the clock of the service."""

    content: bytes
    e_tag: str
    modified: float


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing or a head names it; `key` is relative to the bucket, `size` in bytes."""

    key: str
    size: int
    e_tag: str
    modified: float


def client(bucket: str) -> Any:
    """What asks the service for the objects of a bucket, given as URL; made once in a process for an environment.

    Raises:
        ConfigurationError: obstore is not installed, or the environment cannot be understood.
    """
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(_SETTINGS)))
    return _client(bucket, settings)


_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_")


@lru_cache(maxsize=16)
def _client(bucket: str, settings: tuple[tuple[str, str], ...]) -> Any:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise ConfigurationError(
            f"{bucket}: object storage needs obstore: install bioner with the extra `buckets`"
        ) from None
    told = dict(settings)
    options = _TIMEOUTS | {"allow_http": told.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes")}
    more = file_credentials(told) if bucket.startswith("s3:") else {}
    try:
        return from_url(bucket, client_options=options, retry_config={"max_retries": 0}, **more)
    except (BaseError, ValueError, TypeError):  # its text may repeat what the environment says
        raise ConfigurationError(
            f"{bucket}: cannot be asked with these settings; check the bucket's name and AWS_*, GOOGLE_* or AZURE_*"
        ) from None


def get(bucket: str, key: str) -> Found:
    """A whole object.

    Raises:
        FileNotFoundError: there is none.
        ObjectStorageError: the service does not answer, or refuses.
    """

    def ask(store: Any) -> Found:
        answer = _obstore().get(store, key)
        return Found(bytes(answer.bytes()), answer.meta["e_tag"] or "", answer.meta["last_modified"].timestamp())

    return _asked(bucket, ask)


def get_end(bucket: str, key: str, size: int) -> tuple[bytes, int]:
    """The last `size` bytes of an object, or all where it is shorter, and how many bytes it has.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> tuple[bytes, int]:
        answer = _obstore().get(store, key, options={"range": {"suffix": size}})
        return bytes(answer.bytes()), int(answer.meta["size"])

    return _asked(bucket, ask)


def get_range(bucket: str, key: str, start: int, *, length: int) -> bytes:
    """`length` bytes of an object from `start`.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return _asked(bucket, lambda store: bytes(_obstore().get_range(store, key, start=start, length=length)))


def head(bucket: str, key: str) -> Listed:
    """What is known of an object without its content.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return _asked(bucket, lambda store: _listed(_obstore().head(store, key)))


def put(bucket: str, key: str, content: Any) -> str:
    """Put an object in place of any other: `content` has the buffer protocol. Returns its e-tag.

    Raises:
        ObjectStorageError: the service does not answer, or refuses; what was there before is there.
    """

    def ask(store: Any) -> str:
        try:
            return str(_obstore().put(store, key, content, use_multipart=False)["e_tag"])
        except FileNotFoundError as error:
            raise _told(bucket, error, putting=True) from None

    return _asked(bucket, ask)


def put_if(bucket: str, key: str, content: bytes, *, e_tag: str) -> str:
    """Put an object where that of this e-tag stands, or, with an empty one, none; returns its own e-tag.

    It is empty where another one stands there. No two writers may ever put equal contents: where an answer was lost,
    the content tells whose object it is.

    Raises:
        ObjectStorageError: as `put`.
    """
    store = client(bucket)
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

    mode: Any = {"e_tag": e_tag} if e_tag else "create"
    for pause in (*PAUSES, None):
        try:
            return str(_obstore().put(store, key, content, mode=mode, use_multipart=False)["e_tag"])
        except (AlreadyExistsError, PreconditionError) as error:
            last: Exception = error
        except (BaseError, OSError) as error:
            if not _is_passing(error):
                raise _told(bucket, error, putting=True) from None
            last = error
        found = _found(bucket, key)
        if found is not None and found.content == content:
            return found.e_tag
        if (found.e_tag if found else "") != e_tag:
            return ""
        _rest(bucket, pause, last)
    raise AssertionError("the last pause raises")


def copy(bucket: str, source: str, target: str) -> int:
    """Put what stands under one key under another one, in one step of the service; returns how often it was asked.

    Raises:
        FileNotFoundError: nothing stands under `source`.
        ObjectStorageError: as `put`.
    """
    asked = 0

    def ask(store: Any) -> int:
        nonlocal asked
        asked += 1
        _obstore().copy(store, source, target)
        return asked

    return _asked(bucket, ask)


def delete(bucket: str, keys: Sequence[str]) -> None:
    """Take objects away; those that are not there are passed over.

    Raises:
        ObjectStorageError: as `put`.
    """
    if keys:
        _asked(bucket, lambda store: _obstore().delete(store, list(keys)))


def below(bucket: str, prefix: str) -> list[Listed]:
    """All objects below a prefix, in the order of their keys.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> list[Listed]:
        return [_listed(one) for page in _obstore().list(store, prefix=prefix or None) for one in page]

    return sorted(_asked(bucket, ask), key=lambda one: one.key)


def has_any_below(bucket: str, prefix: str) -> bool:
    """Whether there is an object below a prefix.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return _asked(bucket, lambda store: any(_obstore().list(store, prefix=prefix or None, chunk_size=1)))


def children(bucket: str, prefix: str) -> tuple[list[str], list[Listed]]:
    """The prefixes and the objects right below a prefix, as in a folder.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> tuple[list[str], list[Listed]]:
        found = _obstore().list_with_delimiter(store, prefix or None)
        return list(found["common_prefixes"]), [_listed(one) for one in found["objects"]]

    return _asked(bucket, ask)


def _found(bucket: str, key: str) -> Found | None:
    try:
        return get(bucket, key)
    except FileNotFoundError:
        return None


def _asked(bucket: str, question: Callable[[Any], Answer]) -> Answer:
    store = client(bucket)
    from obstore.exceptions import BaseError

    for pause in (*PAUSES, None):
        try:
            return question(store)
        except (BaseError, OSError) as error:
            if not _is_passing(error):
                raise _told(bucket, error) from None
            _rest(bucket, pause, error)
    raise AssertionError("the last pause raises")


def _rest(bucket: str, pause: float | None, error: Exception) -> None:
    if pause is None:
        raise _told(bucket, error) from None
    time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def _is_passing(error: Exception) -> bool:
    """Whether the same request may succeed after a pause."""
    from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError

    if not isinstance(error, AlreadyExistsError | GenericError | PreconditionError):
        return False
    status = status_of(error)
    return not status.startswith("4") or status in _PASSING


def _told(bucket: str, error: Exception, *, putting: bool = False) -> Exception:
    """An error of obstore in words of our own; one that is not of the service as it is."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    if isinstance(error, FileNotFoundError) and not putting:
        return FileNotFoundError("is not there")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        words: str | None = "may not be used with the credentials of the environment (AWS_*, GOOGLE_*, AZURE_*)"
    else:
        words = "the bucket is not there" if putting and isinstance(error, FileNotFoundError) else cause_in_words(error)
    if words is None:
        return error
    return ObjectStorageError(f"{bucket}: {words}. What is committed stays; run the same command again")


def _listed(meta: Any) -> Listed:
    return Listed(str(meta["path"]), int(meta["size"]), meta["e_tag"] or "", meta["last_modified"].timestamp())


def _obstore() -> Any:
    import obstore

    return obstore
