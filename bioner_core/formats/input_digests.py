"""The digest of an input, taken once for as long as the input stays what it was.

A run asks for it when it looks for what is done, when it plans, and before it reads what was planned. What a digest was
taken of is told by what the system says of a file, and by the e-tag of an object in a bucket, which costs one request.
An input of which nobody says whether it has changed, such as a URL, is read each time.
"""

import os
import stat
import time
from collections import OrderedDict
from threading import Lock

from bioner_core.formats.buckets import file_system, is_bucket, told_bucket_errors
from bioner_core.formats.stream import opened

SETTLED_SECONDS = 2.0
"""A file that was changed less than this ago is not known again: its times may not tell of a further change yet."""

_MOST_KNOWN = 10_000

Identity = tuple[str | int, ...]
"""Equal for two looks at an input between which it was not changed."""

_known: OrderedDict[Identity, str] = OrderedDict()
_lock = Lock()


def file_digest(input_file: str) -> str:
    """The sha256 of an input's stored bytes, in hex.

    Raises:
        InputError: the input cannot be opened or read.
    """
    identity = input_identity(input_file)
    with _lock:
        known = _known.get(identity) if identity is not None else None
    if known is not None:
        return known
    with opened(input_file, digested=True) as raw:
        digest = raw.drain()
    remember_digest(input_file, identity, digest=digest)
    return digest


def remember_digest(input_file: str, identity: Identity | None, *, digest: str) -> None:
    """Keep a digest that was taken of an input while it was read to its end, from when it had this identity."""
    if identity is None or input_identity(input_file) != identity:
        return
    with _lock:
        _known[identity] = digest
        while len(_known) > _MOST_KNOWN:
            _known.popitem(last=False)


def input_identity(input_file: str) -> Identity | None:
    """What tells an input from a later one of the same name; None where nothing does, or not yet.

    Raises:
        InputError: an object in a bucket is not there, or may not be read.
    """
    if is_bucket(input_file):
        return _object_identity(input_file)
    if "://" in input_file:
        return None
    try:
        if not stat.S_ISREG(os.stat(input_file).st_mode):
            return None  # to open a pipe would wait for a writer
        # A network's file system may answer from memory for a path, but looks again when a file is opened.
        with open(input_file, "rb") as file:
            found = os.fstat(file.fileno())
    except OSError:
        return None  # whoever reads it says what is wrong
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - changed < SETTLED_SECONDS * 1e9:
        return None
    return input_file, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _object_identity(url: str) -> Identity | None:
    files, path = file_system(url)
    with told_bucket_errors(url):
        found = files.info(path)
    tag = found.get("e_tag")
    return (url, str(tag), int(found["size"]), str(found.get("last_modified"))) if tag else None
