"""The ledger: which input files were applied to a store, in which order, when, and with what result.

It only grows: one file per entry, written at once and never changed. An entry is written after the last shard of its
file, so what it names is committed.

    ledger/<kind>/<order>-<input key>.json     an input file that was applied
    ledger/reloads/<kind>-<year>.json          from here on the files of earlier years count no more
    ledger/runs/<run id>.json                  one run of a job, how it ended
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.stored_record import stored_record
from bioner_core.typed_json import loaded_json, with_checksum

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedFile:
    """One input file that is in the store, whole.

    `order` sorts the files of one `kind`: (year, number) of a PubMed release, else when it was applied. `name` is the
    base name; `input_key` that of its manifests; `md5` is empty where there was none to check; `stamp` is what the
    listing said of size and date. `rows_sent` counts model calls of the run that applied it, `seconds` its wall time.
    """

    kind: str
    name: str
    order: tuple[int, ...]
    input_key: str
    bytes: int
    md5: str
    sha256: str
    stamp: str
    fingerprint: str
    run_id: str
    applied: str
    seconds: float
    rows_sent: int
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """A new year's release is whole: the documents of earlier years that it lacks are gone.

    `documents_before` and `documents_after` count the newest documents of the kind on either side.
    """

    kind: str
    year: int
    run_id: str
    applied: str
    documents_before: int
    documents_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job that ended by itself; `message` is empty unless it was stopped by a fault."""

    run_id: str
    job: str
    started: str
    seconds: float
    applied: tuple[str, ...]
    exit_code: int
    message: str = ""
    counts: Counts = field(default_factory=Counts)


class DamagedEntryError(DamagedFileError):
    """An entry is not what was written; `path` is its file."""

    def __init__(self, message: str, path: StorePath) -> None:
        super().__init__(message)
        self.path = path


_LOST: dict[type, str] = {
    AppliedFile: ", and its input is applied again",
    Reload: ": the next nightly run retires the earlier years again",
    JobRun: ": it only tells how a run ended",
}
"""What becomes of it where an entry is lost."""


def utc_now() -> str:
    """The time as the ledger writes it: ISO 8601, UTC, to the microsecond, so that entries sort by it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def new_run_id() -> str:
    """A name for a run that begins with the time; no two are alike."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def record_applied(store: Store, entry: AppliedFile, *, damaged: Iterable[StorePath] = ()) -> None:
    """Enter a file whose shards are all committed. A file that is applied again, under another model, has a new entry.

    Of the entries that are known to be `damaged`, those of the same file go: this one says what they said.

    Raises:
        StoreError: the store cannot be written.
    """
    token = "".join(character for character in entry.applied if character.isdigit())
    _write(store, f"{entry.kind}/{_order_words(entry.order)}-{entry.input_key}-{token}.json", entry)
    for path in damaged:
        if f"-{entry.input_key}-" in path.name:
            path.unlink(missing_ok=True)


def applied_files(
    store: Store, kind: str, *, on_damaged: Callable[[DamagedEntryError], None] | None = None
) -> list[AppliedFile]:
    """All entries of one kind, by order and then by time.

    With `on_damaged`, which is told of each entry that cannot be read, the others are given all the same: a file whose
    entry is left out counts as one that was never applied.

    Raises:
        DamagedEntryError: an entry is damaged, and there is no `on_damaged`.
        StoreError: a newer bioner wrote an entry.
    """
    entries = _readable(_entries(store, kind), AppliedFile, on_damaged=on_damaged)
    return sorted(entries, key=lambda entry: (entry.order, entry.applied))


def standing_files(entries: Iterable[AppliedFile]) -> dict[tuple[int, ...], AppliedFile]:
    """The newest entry of each order: of a file that was published again, and applied again, the later content."""
    return {entry.order: entry for entry in sorted(entries, key=lambda entry: entry.applied)}


def ledger_kinds(store: Store) -> list[str]:
    """The kinds of which files were ever applied."""
    folders = (path.name for path in store.ledger.glob("*") if path.is_dir())
    return sorted(name for name in folders if name not in ("reloads", "runs"))


def record_reload(store: Store, reload: Reload) -> None:
    """Retire the files of the years before.

    Raises:
        StoreError: the store cannot be written.
    """
    _write(store, f"reloads/{reload.kind}-{reload.year}.json", reload)


def reloads(store: Store, kind: str, *, on_damaged: Callable[[DamagedEntryError], None] | None = None) -> list[Reload]:
    """The reloads of one kind, by year; `on_damaged` as in `applied_files`.

    Raises:
        DamagedEntryError, StoreError: as `applied_files`.
    """
    found = _readable(_entries(store, "reloads"), Reload, on_damaged=on_damaged)
    return sorted((one for one in found if one.kind == kind), key=lambda one: one.year)


def record_run(store: Store, run: JobRun) -> None:
    """Enter how a run ended.

    Raises:
        StoreError: the store cannot be written.
    """
    _write(store, f"runs/{run.run_id}.json", run)


def job_runs(store: Store, *, on_damaged: Callable[[DamagedEntryError], None] | None = None) -> list[JobRun]:
    """All runs that ended, by the time of their start; `on_damaged` as in `applied_files`.

    Raises:
        DamagedEntryError, StoreError: as `applied_files`.
    """
    found = _readable(_entries(store, "runs"), JobRun, on_damaged=on_damaged)
    return sorted(found, key=lambda run: run.started)


def damaged_entries(store: Store) -> list[str]:
    """The entries of all kinds, reloads and runs that cannot be read, each in words with what to do.

    Those of a newer bioner are among them.
    """
    found: list[str] = []
    kinds: list[tuple[str, type[AppliedFile | Reload | JobRun]]] = [(one, AppliedFile) for one in ledger_kinds(store)]
    for folder, kind in (*kinds, ("reloads", Reload), ("runs", JobRun)):
        for path in _entries(store, folder):
            try:
                _read(path, kind)
            except StoreError as error:
                found.append(str(error))
    return found


def _entries(store: Store, folder: str) -> list[StorePath]:
    return sorted_paths((store.ledger / folder).glob("[!.]*.json"))


def _write(store: Store, name: str, entry: AppliedFile | Reload | JobRun) -> None:
    write_text(store.ledger / name, json.dumps(with_checksum(asdict(entry)), ensure_ascii=False, indent=1) + "\n")


def _order_words(order: Iterable[int]) -> str:
    return "-".join(f"{number:05d}" for number in order)


def _readable(
    paths: Iterable[StorePath], kind: type[Entry], *, on_damaged: Callable[[DamagedEntryError], None] | None
) -> Iterator[Entry]:
    for path in paths:
        try:
            yield _read(path, kind)
        except DamagedEntryError as error:
            if on_damaged is None:
                raise
            on_damaged(error)


def _read(path: StorePath, kind: type[Entry]) -> Entry:
    try:
        return stored_record(kind, loaded_json(path.read_text(encoding="utf-8")), where=str(path))
    except (OSError, ValueError) as error:
        raise DamagedEntryError(
            f"{path}: is not a ledger entry that bioner wrote ({error}). Restore that file; if it is lost, remove it"
            f"{_LOST[kind]}",
            path,
        ) from error
