"""The manifest of a shard: what went in, what came out, and which files hold it. Written last; a shard without one
does not exist for readers."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from operator import add, attrgetter
from typing import Any

from bioner_core.errors import DamagedFileError
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.store.schemas import check_schema_version
from bioner_core.store.stored_record import record_of
from bioner_core.typed_json import has_checksum, loaded_json, typed, with_checksum, without_checksum


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums of one shard or of many.

    `records_in` to `rejected` count records of the dump; `unchanged` are documents whose mentions were carried over
    from an earlier shard without a model call, and `sentences` leaves them out; `rows` counts sentence x label set
    pairs sent to the model; `row_rejects` counts those of them that have no result, whether or not their record was
    rejected with them. `lost_bytes` are unpacked bytes of files that could not be read to their end, each of which is
    one reject; `lost_records` is how many records beyond those rejects they are reckoned to hold. `not_sent` are
    documents with text of which nothing was sent to the model: no label set is for their language. `lossy` are
    documents some of whose text is in no passage though nothing says that it is not read, `lost_characters` how much.
    """

    records_in: int = 0
    annotated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    sentences: int = 0
    rows: int = 0
    row_rejects: int = 0
    mentions: int = 0
    mentions_accepted: int = 0
    lost_bytes: int = 0
    lost_records: int = 0
    not_sent: int = 0
    lossy: int = 0
    lost_characters: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every record that went in came out exactly once."""
        return self.records_in == self.annotated + self.unchanged + self.deleted + self.rejected

    @property
    def outcomes(self) -> str:
        """What became of the records that went in, as a sum in words: for a line that begins with `records_in`."""
        return (
            f"{self.annotated} annotated + {self.unchanged} unchanged + {self.deleted} deleted "
            f"+ {self.rejected} rejected"
        )

    @property
    def accounts(self) -> str:
        """The sum that must add up, in words, for messages."""
        return (
            f"records_in {self.records_in}, annotated {self.annotated}, unchanged {self.unchanged}, "
            f"deleted {self.deleted}, rejected {self.rejected}"
        )


_LATER_COUNTS = ("lost_bytes", "lost_records", "not_sent", "lossy", "lost_characters")


def loss_lines(counts: Counts) -> list[str]:
    """What did not reach the model though nothing failed, in words; empty when there is none."""
    lines: list[str] = []
    if counts.not_sent:
        lines.append(
            f"{spoken_count(counts.not_sent, 'document')} with text of which nothing was sent to the model: no label "
            "set is for the language (column lang of documents)"
        )
    if counts.lossy:
        lines.append(
            f"{counts.lost_characters:,} characters of {spoken_count(counts.lossy, 'document')} in no passage, since "
            "they stand in elements that are not known here"
        )
    if counts.lost_bytes:
        lines.append(
            f"{counts.lost_bytes:,} bytes of files that break off were not read, about "
            f"{spoken_count(counts.lost_records, 'record')} more than their rejects count"
        )
    return lines


def total(counts: Iterable[Counts]) -> Counts:
    """The sum, field by field."""
    sums = [0] * len(fields(Counts))
    for one in counts:
        sums = list(map(add, sums, _COUNTS_OF(one)))
    return Counts(*sums)


_COUNTS_OF = attrgetter(*(field.name for field in fields(Counts)))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a shard; `path` is relative to the store, with `/` between its parts."""

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is committed of one shard.

    `input_file` is the public name of the input, without credentials; records run from `first` (from 0) up to but not
    including `last`; `created` is when these files were committed (ISO 8601, UTC), `first_created` when the shard came
    into the store: when its input was planned, or, in manifests from before that was kept, when its first files were
    committed, and empty if these are they; `seconds` is wall time up to the commit.

    `fingerprint` covers all that the results depend on beside the input. `decode_fingerprint` is the part of it that
    the candidates depend on (model, label sets, splitter), `finish_fingerprint` what is made of them without the model
    (schema version, document pass); both are empty in shards from before schema version 3.
    """

    shard_id: str
    source: str
    input_file: str
    format_name: str
    input_digest: str
    first: int
    last: int
    fingerprint: str
    label_sets: tuple[str, ...]
    counts: Counts
    seconds: float
    files: tuple[StoredFile, ...]
    schema_version: int
    software_version: str
    created: str
    first_created: str = ""
    decode_fingerprint: str = ""
    finish_fingerprint: str = ""

    @property
    def known_since(self) -> str:
        """When the shard came into the store: one that is made anew keeps its place among others."""
        return self.first_created or self.created

    def to_json(self) -> str:
        """The manifest as an indented JSON object with its checksum; the counts stand at its top level."""
        flat = asdict(self)
        counts = flat.pop("counts")
        return json.dumps(with_checksum(flat | counts), indent=1, ensure_ascii=False) + "\n"


def manifest_from_json(text: str, *, where: str) -> Manifest:
    """Read what `Manifest.to_json` wrote.

    Raises:
        DamagedFileError: the text is no manifest, or has changed since it was written; the message names `where`.
        StoreError: it is of a newer schema version, or has names that only a newer bioner knows.
    """
    try:
        read: dict[str, Any] = loaded_json(text)
        # First of all, since a newer version may have another checksum: what it wrote is refused, and never made anew.
        check_schema_version(typed(int, read["schema_version"]), where=where)
        flat = without_checksum(read)
        # Manifests of earlier versions lack the counts that came later.
        later = {name: flat.pop(name, 0) for name in _LATER_COUNTS}
        counts = later | {one.name: flat.pop(one.name) for one in fields(Counts) if one.name not in later}
        return record_of(Manifest, flat | {"counts": counts}, is_whole=has_checksum(read), where=where)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFileError(
            f"{where}: is not a manifest that bioner wrote ({error!r}). Remove that file and annotate its input again"
        ) from error


def write_manifest(store: Store, manifest: Manifest) -> None:
    """Make the shard exist: from here on readers see it.

    Raises:
        StoreError: the file cannot be written; the shard is as it was before.
    """
    write_text(store.manifest(manifest.shard_id), manifest.to_json())


def read_manifest(store: Store, shard: str) -> Manifest | None:
    """The manifest of a shard, or None when it was never committed.

    Raises:
        DamagedFileError: the manifest is damaged, unreadable, or of another shard.
        StoreError: it is of a newer schema version.
    """
    path = store.manifest(shard)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(
            f"{path}: cannot be read ({error}). Check its permissions, or remove it and annotate its input again"
        ) from error
    found = manifest_from_json(text, where=str(path))
    if found.shard_id != shard:
        raise DamagedFileError(
            f"{path}: is the manifest of shard {found.shard_id} under another name, as a copy is. Counted, it would "
            "double that shard's rows. Remove that file"
        )
    return found
