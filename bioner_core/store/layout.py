"""Where things lie in a store, and the names that make a replay overwrite itself.

Every name is made of letters, digits, `.`, `_`, `-` and `%`, whatever a dump or its file name holds.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

TABLES = ("documents", "mentions", "rejects", "deletions")
"""The tables of a store, in the order in which a commit writes them."""

_SLUG_LENGTH = 48
_DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True)
class ShardDescriptor:
    """A piece of work: records `first` (from 0) up to but not including `last` of one input file.

    `input_file` is the path or URL to open (it may hold credentials, so it is never stored or logged as it is);
    `input_digest` is the digest of the file as planned; `replaces` names older shards of the same input whose records
    overlap these ones because the file was once read as another format: this shard's commit removes them.
    """

    shard_id: str
    source: str
    input_file: str
    format_name: str
    first: int
    last: int
    input_digest: str
    replaces: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """How many records the shard covers."""
        return self.last - self.first


def input_key(public_name: str, digest: str) -> str:
    """The name under which one content of one input is known: a slug of its base name and a digest of both.

    The folder is left out, so that a dump that has moved is still known as done. `public_name` is a path, or a URL
    without query and fragment.
    """
    base = PurePosixPath(public_name).name
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", base)[:_SLUG_LENGTH].strip("-.").lstrip("_-.") or "input"
    token = hashlib.sha256(f"{base}\0{digest}".encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{slug}-{token}"


def shard_id(key: str, first: int, last: int) -> str:
    """The id of records `first` to `last` (end exclusive) of the input known as `key`."""
    return f"{key}-{first:08d}-{last:08d}"


def input_key_of(shard: str) -> str:
    """The input key in the id of a shard."""
    return shard.rsplit("-", 2)[0]


def manifest_path(store: Path, shard: str) -> Path:
    """Where the manifest of a shard is."""
    return store / "manifests" / f"{shard}.json"


def table_folder(store: Path, table: str, source: str, shard: str) -> Path:
    """The folder of one table of one shard.

    Its name has no `key=value`, which query engines take for columns: the files have a column `source` of their own,
    and rejects one `shard`. Shards from before schema version 3 lie in `source=.../shard=...`.
    """
    folder = quote(source or "unknown", safe="")
    if folder[0] in "._":  # `..` leads out of the store, and pyarrow passes over what begins with either
        folder = f"%{ord(folder[0]):02X}{folder[1:]}"
    return store / table / folder / shard


def table_file_name(shard: str, fingerprint: str, format_name: str, *, taken: bool = False) -> str:
    """The name of a shard's file: the same for the same work, another one for another model, reader or label set.

    Where the shard's manifest gives that name to other rows, as when rejects were tried again, it is `taken`, and a
    second one is given. So old results stay untouched under their own name until the new manifest is written.
    """
    words = [fingerprint, format_name] + ["again"] * taken
    tag = hashlib.sha256("\0".join(words).encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{shard}-{tag}.parquet"
