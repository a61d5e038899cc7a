"""Requests to object storage: asked again when they fail, and safe to ask again when an answer was lost.

Every object is put by one request and appears whole or not at all. No upload has parts, so a kill leaves none behind.
What is not there is a `FileNotFoundError`; any other error says what the service answered without its text, which may
hold addresses and keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bioner_core.store.objects.connection import PAUSES, asked, client, is_passing, told_error, wait_or_raise


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


def get(bucket: str, key: str) -> Found:
    """A whole object.

    Raises:
        FileNotFoundError: there is none.
        ObjectStorageError: the service does not answer, or refuses.
    """

    def ask(store: Any) -> Found:
        answer = _obstore().get(store, key)
        return Found(bytes(answer.bytes()), answer.meta["e_tag"] or "", answer.meta["last_modified"].timestamp())

    return asked(bucket, ask)


def get_end(bucket: str, key: str, *, size: int) -> tuple[bytes, int]:
    """The last `size` bytes of an object, or all where it is shorter, and how many bytes it has.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> tuple[bytes, int]:
        answer = _obstore().get(store, key, options={"range": {"suffix": size}})
        return bytes(answer.bytes()), int(answer.meta["size"])

    return asked(bucket, ask)


def get_range(bucket: str, key: str, *, start: int, length: int) -> bytes:
    """`length` bytes of an object from `start`.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return asked(bucket, lambda store: bytes(_obstore().get_range(store, key, start=start, length=length)))


def head(bucket: str, key: str) -> Listed:
    """What is known of an object without its content.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return asked(bucket, lambda store: _listed(_obstore().head(store, key)))


def put(bucket: str, key: str, *, content: Any) -> str:
    """Put an object in place of any other: `content` has the buffer protocol. Returns its e-tag.

    Raises:
        ObjectStorageError: the service does not answer, or refuses; what was there before is there.
    """

    def ask(store: Any) -> str:
        try:
            return str(_obstore().put(store, key, content, use_multipart=False)["e_tag"])
        except FileNotFoundError as error:
            raise told_error(bucket, error, putting=True) from None

    return asked(bucket, ask)


def put_if(bucket: str, key: str, *, content: bytes, e_tag: str) -> str:
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
            if not is_passing(error):
                raise told_error(bucket, error, putting=True) from None
            last = error
        found = _found(bucket, key)
        if found is not None and found.content == content:
            return found.e_tag
        if (found.e_tag if found else "") != e_tag:
            return ""
        wait_or_raise(bucket, pause, error=last)
    raise AssertionError("the last pause raises")


def copy(bucket: str, *, source: str, target: str) -> int:
    """Put what stands under one key under another one, in one step of the service; returns how often it was asked.

    Raises:
        FileNotFoundError: nothing stands under `source`.
        ObjectStorageError: as `put`.
    """
    tries = 0

    def ask(store: Any) -> int:
        nonlocal tries
        tries += 1
        _obstore().copy(store, source, target)
        return tries

    return asked(bucket, ask)


def delete(bucket: str, keys: Sequence[str]) -> None:
    """Take objects away; those that are not there are passed over.

    Raises:
        ObjectStorageError: as `put`.
    """
    if keys:
        asked(bucket, lambda store: _obstore().delete(store, list(keys)))


def below(bucket: str, prefix: str) -> list[Listed]:
    """All objects below a prefix, in the order of their keys.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> list[Listed]:
        return [_listed(one) for page in _obstore().list(store, prefix=prefix or None) for one in page]

    return sorted(asked(bucket, ask), key=lambda one: one.key)


def has_any_below(bucket: str, prefix: str) -> bool:
    """Whether there is an object below a prefix.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """
    return asked(bucket, lambda store: any(_obstore().list(store, prefix=prefix or None, chunk_size=1)))


def children(bucket: str, prefix: str) -> tuple[list[str], list[Listed]]:
    """The prefixes and the objects right below a prefix, as in a folder.

    Raises:
        FileNotFoundError, ObjectStorageError: as `get`.
    """

    def ask(store: Any) -> tuple[list[str], list[Listed]]:
        found = _obstore().list_with_delimiter(store, prefix or None)
        return list(found["common_prefixes"]), [_listed(one) for one in found["objects"]]

    return asked(bucket, ask)


def _found(bucket: str, key: str) -> Found | None:
    try:
        return get(bucket, key)
    except FileNotFoundError:
        return None


def _listed(meta: Any) -> Listed:
    return Listed(str(meta["path"]), int(meta["size"]), meta["e_tag"] or "", meta["last_modified"].timestamp())


def _obstore() -> Any:
    import obstore

    return obstore
