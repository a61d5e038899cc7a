"""The manifest of a snapshot: what is in it, and of what state of the store it was made.

STORE/snapshots/<id>/manifest.json
STORE/CURRENT                        the id of the snapshot that readers open
"""

import json
import re
from dataclasses import asdict, dataclass, field

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.store.objects.fence import fence_of
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath
from bioner_core.store.schemas import check_schema_version
from bioner_core.store.stored_record import stored_record
from bioner_core.typed_json import loaded_json, typed, with_checksum

MANIFEST_NAME = "manifest.json"
"""The file that makes a folder a snapshot; written last."""

_ID = re.compile(r"\d{8}T\d{6}_\d{6}Z-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file; `path` is relative to the folder of the snapshot, with `/` between its parts.

    `first_doc_id` and `last_doc_id` are the least and the greatest of its rows, empty in tables without documents.
    """

    table: str
    source: str
    path: str
    rows: int
    bytes: int
    sha256: str
    first_doc_id: str
    last_doc_id: str


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """What a snapshot holds. `state` is a digest of all committed shards and their order: equal ones make equal rows.

    `fingerprint` is that of the shards, or a digest of theirs where they differ, and `fingerprints` says how many
    shards have each; `created` is ISO 8601 in UTC;
    `mentions` counts candidates, `mentions_accepted` those that the selector accepted. `store_id` is the same in all
    snapshots of a store, wherever it is moved, and another one in each store; empty in one from before it was kept.
    """

    snapshot_id: str
    state: str
    created: str
    seconds: float
    schema_version: int
    software_version: str
    fingerprint: str
    shards: int
    documents: int
    mentions: int
    mentions_accepted: int
    rejects: int
    deletions: int
    files: tuple[SnapshotFile, ...]
    fingerprints: dict[str, int] = field(default_factory=dict)
    store_id: str = ""

    def to_json(self) -> str:
        """The manifest as an indented JSON object with its checksum."""
        return json.dumps(with_checksum(asdict(self)), indent=1, ensure_ascii=False) + "\n"


def is_snapshot_id(name: str) -> bool:
    """Whether a name is one that a snapshot may have: time and state."""
    return _ID.fullmatch(name) is not None


def current_id(store: Store) -> str | None:
    """The id of the snapshot that readers open, None before the first compaction.

    Raises:
        DamagedFileError: the file CURRENT is damaged.
    """
    path = store.current
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{path}: cannot be read ({error}). Remove it and run `bioner compact`") from error
    if not is_snapshot_id(text):
        raise DamagedFileError(f"{path}: names no snapshot ({text[:80]!r}). Remove it and run `bioner compact`")
    return text


def make_current(store: Store, snapshot_id: str) -> None:
    """From here on readers open this snapshot.

    Raises:
        StoreError: the store cannot be written; readers open what they opened before.
    """
    path, text = store.current, snapshot_id + "\n"
    if not isinstance(path, ObjectPath) or fence_of(path.bucket, path.key) is not None:
        write_text(path, text)
    elif not path.swap(text.encode()):
        raise StoreError(f"{path}: was changed by another job at the same moment. Run the same command again")


def write_snapshot_manifest(folder: StorePath, manifest: SnapshotManifest) -> None:
    """Complete the folder of a snapshot.

    Raises:
        StoreError: the store cannot be written.
    """
    write_text(folder / MANIFEST_NAME, manifest.to_json())


def read_snapshot_manifest(store: Store, snapshot_id: str) -> SnapshotManifest:
    """The manifest of a snapshot.

    Raises:
        DamagedFileError: it is missing or damaged.
        StoreError: a newer version of bioner wrote it.
    """
    path = store.snapshot(snapshot_id) / MANIFEST_NAME
    try:
        flat = loaded_json(path.read_text(encoding="utf-8"))
        check_schema_version(typed(int, flat["schema_version"]), where=str(path))
        return stored_record(SnapshotManifest, flat, where=str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path}: is not a manifest that bioner wrote ({error!r}). Remove that folder and run `bioner compact`"
        ) from error


def snapshot_ids(store: Store) -> list[str]:
    """All complete snapshots, the oldest first."""
    found = store.snapshots.glob(f"*/{MANIFEST_NAME}")
    return sorted(path.parent.name for path in found if is_snapshot_id(path.parent.name))


def unfinished_snapshots(store: Store) -> list[StorePath]:
    """Folders on object storage that hold files of a snapshot and no manifest: a compaction is at work, or was killed.

    In a folder of this machine such a one has a hidden name, and there is none of these.
    """
    if not store.is_remote:
        return []
    whole = set(snapshot_ids(store))
    return [path for path in store.snapshots.iterdir() if is_snapshot_id(path.name) and path.name not in whole]
