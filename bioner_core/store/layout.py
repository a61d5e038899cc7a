"""Where things lie in a store, and the names that make a replay overwrite itself.

Every name is made of letters, digits, `.`, `_`, `-` and `%`, whatever a dump or its file name holds.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from bioner_core.errors import ConfigurationError
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath

TABLES = ("documents", "mentions", "rejects", "deletions")
"""The tables of a store, in the order in which a commit writes them."""

_SLUG_LENGTH = 48
"""Characters of an input's name that stay in the names of its shards, for people who look at a store."""
_DIGEST_LENGTH = 12
"""Hex digits, 48 bits, that tell inputs of one name apart: a million inputs collide with probability 0.002."""


@dataclass(frozen=True, slots=True)
class Store:
    """A store: the one object that knows where it is and where each of its parts is.

    Nothing is opened or made by it, so it can name a store that is not there yet. `root` is a folder of this machine,
    or a place in a bucket (`paths.StorePath`); nobody else joins paths right under `root`, nor makes the name of a file
    that more than one module writes or reads. What only one module knows (entries of the ledger, claims of the lock,
    notes of jobs at work, folders of snapshots in the making) it names itself, below the folder that is given here.
    """

    root: StorePath

    def __str__(self) -> str:
        return str(self.root)

    @property
    def is_remote(self) -> bool:
        """Whether the store is on object storage: each look costs a request there."""
        return isinstance(self.root, ObjectPath)

    @property
    def folder(self) -> Path:
        """The folder of a store that is on this machine.

        Raises:
            ConfigurationError: it is on object storage.
        """
        if not isinstance(self.root, Path):
            raise ConfigurationError(f"--store: {self} is on object storage, and a folder is needed here")
        return self.root

    @property
    def manifests(self) -> StorePath:
        """One JSON file per committed shard: the last thing that its commit writes."""
        return self.root / "manifests"

    @property
    def plans(self) -> StorePath:
        """Into which shards each input was cut."""
        return self.root / "plans"

    @property
    def jobs(self) -> StorePath:
        """Reports of finished jobs, and notes of those at work."""
        return self.root / "jobs"

    @property
    def ledger(self) -> StorePath:
        """Which releases of which source were applied."""
        return self.root / "ledger"

    @property
    def register(self) -> StorePath:
        """Per input, which documents its shards hold: an index that can be made anew."""
        return self.root / "register"

    @property
    def locks(self) -> StorePath:
        """Claims of the jobs at work."""
        return self.root / "locks"

    @property
    def models(self) -> StorePath:
        """What is known of the model behind each fingerprint."""
        return self.root / "models"

    @property
    def snapshots(self) -> StorePath:
        """What `compact` made, a folder each."""
        return self.root / "snapshots"

    @property
    def current(self) -> StorePath:
        """The file that names the snapshot that readers take."""
        return self.root / "CURRENT"

    @property
    def links(self) -> StorePath:
        """What `bioner link` made: concepts of mentions, and abbreviations."""
        return self.root / "links"

    @property
    def precision(self) -> StorePath:
        """The file that says in which precision the store's first run computed."""
        return self.root / "precision.json"

    @property
    def downloads(self) -> StorePath:
        """Where nightly jobs keep what they downloaded, unless told otherwise."""
        return self.root / "downloads"

    @property
    def standard_input(self) -> StorePath:
        """Where the bytes of standard input are kept, so that they can be planned like a file."""
        return self.root / "stdin"

    def file(self, name: str) -> StorePath:
        """A file by the name that a manifest, ledger or page of links gives it, relative to the store."""
        return self.root / name

    def manifest(self, shard: str) -> StorePath:
        """Where the manifest of a shard is."""
        return self.manifests / f"{shard}.json"

    def plan(self, key: str) -> StorePath:
        """Where the plan of an input is (`input_key`)."""
        return self.plans / f"{key}.json"

    def carry_over_plan(self, key: str) -> StorePath:
        """Where it says which documents of an input keep what older shards hold; there only while it is worked on."""
        return self.plans / f"{key}.carry.parquet"

    def report(self, job_id: str) -> StorePath:
        """Where the report of a run is."""
        return self.jobs / f"{job_id}.json"

    def document_index(self, key: str) -> StorePath:
        """Where the document index of an input is; its digest is beside it."""
        return self.register / f"{key}.parquet"

    def model_note(self, fingerprint: str) -> StorePath:
        """Where it says what a fingerprint stands for."""
        return self.models / f"{fingerprint}.json"

    def snapshot(self, snapshot_id: str) -> StorePath:
        """The folder of a snapshot."""
        return self.snapshots / snapshot_id

    @property
    def links_page(self) -> StorePath:
        """The file that says what the current links are."""
        return self.links / "CURRENT.json"

    def links_file(self, table: str, run: str) -> StorePath:
        """Where a link run has a table."""
        return self.links / f"{table}-{run}.parquet"

    @property
    def signs(self) -> tuple[StorePath, ...]:
        """What a store has one of as soon as a job has begun on it."""
        return (self.manifests, self.plans, self.ledger, self.jobs, self.locks, self.snapshots, self.current)

    def absolute(self) -> "Store":
        """The same store for processes that work in other folders."""
        return Store(self.root.absolute())

    def name_of(self, file: StorePath) -> str:
        """The name of a file relative to the store, as manifests have it."""
        return file.relative_to(self.root).as_posix()  # type: ignore[arg-type]  # both are of one kind

    def table_folders(self, table: str, shard: str) -> Iterator[StorePath]:
        """The folders that a shard has in a table, whatever its source: those from before schema version 3 too."""
        for pattern in (f"*/{shard}", f"source=*/shard={shard}"):
            yield from (self.root / table).glob(pattern)

    def table_folder(self, table: str, *, source: str, shard: str) -> StorePath:
        """The folder of one table of one shard.

        Its name has no `key=value`, which query engines take for columns: the files have a column `source` of their
        own, and rejects one `shard`. Shards from before schema version 3 lie in `source=.../shard=...`.
        """
        folder = quote(source or "unknown", safe="")
        if folder[0] in "._":  # `..` leads out of the store, and pyarrow passes over what begins with either
            folder = f"%{ord(folder[0]):02X}{folder[1:]}"
        return self.root / table / folder / shard


@dataclass(frozen=True, slots=True)
class ShardDescriptor:
    """A piece of work: records `first` (from 0) up to but not including `last` of one input file.

    `input_file` is the path or URL to open (it may hold credentials, so it is never stored or logged as it is);
    `input_digest` is the digest of the file as planned; `replaces` names older shards of the same input whose records
    overlap these ones because the file was once read as another format: this shard's commit removes them. `planned` is
    when the input was first planned (ISO 8601, UTC), empty where nobody knows.
    """

    shard_id: str
    source: str
    input_file: str
    format_name: str
    first: int
    last: int
    input_digest: str
    replaces: tuple[str, ...] = ()
    planned: str = field(default="", compare=False)

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
    token = hashlib.sha256(f"{base}\0{digest}".encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{input_slug(public_name)}-{token}"


def input_slug(public_name: str) -> str:
    """What the keys of all contents of an input begin with, and those of other inputs whose names are much like it."""
    base = PurePosixPath(public_name).name
    return re.sub(r"[^A-Za-z0-9._]+", "-", base)[:_SLUG_LENGTH].strip("-.").lstrip("_-.") or "input"


def shard_id(key: str, first: int, *, last: int) -> str:
    """The id of records `first` to `last` (end exclusive) of the input known as `key`."""
    return f"{key}-{first:08d}-{last:08d}"


def input_key_of(shard: str) -> str:
    """The input key in the id of a shard."""
    return shard.rsplit("-", 2)[0]


def table_file_name(shard: str, *, fingerprint: str, format_name: str, taken: bool = False, content: str = "") -> str:
    """The name of a shard's file: the same for the same work, another one for another model, reader or label set.

    Where the shard's manifest gives that name to other rows, as when rejects were tried again, it is `taken`, and a
    second one is given. So old results stay untouched under their own name until the new manifest is written. On object
    storage the name holds the digest of the `content` too: a process that has lost its lock and does not know it yet
    overwrites no file that is committed.
    """
    words = [fingerprint, format_name] + ["again"] * taken + [content] * bool(content)
    tag = hashlib.sha256("\0".join(words).encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{shard}-{tag}.parquet"
