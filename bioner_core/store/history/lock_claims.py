"""Claims: one small file says who holds a name in a store. The steps below are safe for any number of takers at once.

The claims on a name are numbered, and only the one with the highest number counts. A claim appears whole, or not at all
(it is written aside and linked), and a number is given out once: whoever would follow a claim that is free, or whose
holder is dead, makes the next number, and of two takers one finds it taken. A claim that is given back stays, marked
free, so that no number ever comes twice.
"""

import contextlib
import errno
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from bioner_core.errors import StoreError
from bioner_core.process_identity import ProcessIdentity, has_ended, is_here, is_of_this_boot
from bioner_core.store.atomic import fsync_path, make_folder, write_text
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import TEMPORARY_SUFFIX
from bioner_core.store.paths import StorePath
from bioner_core.typed_json import loaded_json, typed

_DIGITS = 8
"""Digits of a claim's number, so that names sort as numbers do; one claim per second fills them in three years."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a name, for what, and since when (ISO 8601, UTC); `held` is false once it has been given back."""

    holder: ProcessIdentity
    run_id: str
    purpose: str
    since: str
    held: bool = True

    def __str__(self) -> str:
        return f"{self.purpose}, run {self.run_id}, process {self.holder.pid} on {self.holder.host}, since {self.since}"


@dataclass(frozen=True, slots=True)
class PlacedClaim:
    """A claim and the file that holds it."""

    path: StorePath
    claim: Claim | None
    """None when the file cannot be understood; then only its age counts."""


class Claims(Protocol):
    """Claims on the names of one store, wherever it is."""

    poll_seconds: float
    """How often a held name is looked at."""

    def latest(self, name: str) -> PlacedClaim | None:
        """The claim on a name that counts, or None when nobody ever claimed it."""
        ...

    def names(self, pattern: str) -> list[str]:
        """The names like a glob pattern that were ever claimed."""
        ...

    def is_live(self, placed: PlacedClaim, *, lease_seconds: float) -> bool:
        """Whether somebody still works under a claim."""
        ...

    def place(self, name: str, claim: Claim, *, after: PlacedClaim | None) -> PlacedClaim | None:
        """Make the claim that follows `after`; None when somebody else was faster."""
        ...

    def is_ours(self, name: str, placed: PlacedClaim) -> bool:
        """Whether a claim that was placed here still counts."""
        ...

    def renew(self, placed: PlacedClaim) -> None:
        """Show that its holder lives."""
        ...

    def revoke(self, placed: PlacedClaim) -> bool:
        """Make sure that a dead holder of another name commits no more; False where the claim has changed."""
        ...

    def free(self, placed: PlacedClaim, claim: Claim) -> None:
        """Give a claim back."""
        ...


class FileClaims:
    """`Claims` in a folder: one numbered file each."""

    poll_seconds = 0.5

    def __init__(self, store: Store) -> None:
        self._store = store

    def latest(self, name: str) -> PlacedClaim | None:
        """As `latest_claim`."""
        return latest_claim(self._store, name)

    def names(self, pattern: str) -> list[str]:
        """As `claimed_names`."""
        return claimed_names(self._store, pattern)

    def is_live(self, placed: PlacedClaim, *, lease_seconds: float) -> bool:
        """As the function of this name."""
        return is_live(placed, lease_seconds=lease_seconds)

    def place(self, name: str, claim: Claim, *, after: PlacedClaim | None) -> PlacedClaim | None:
        """As `place_claim`."""
        path = place_claim(self._store, name, claim=claim, after=after)
        return None if path is None else PlacedClaim(path, claim)

    def is_ours(self, name: str, placed: PlacedClaim) -> bool:
        """Whether no newer one was placed."""
        latest = latest_claim(self._store, name)
        return latest is not None and latest.path == placed.path

    def renew(self, placed: PlacedClaim) -> None:
        """Touch its file.

        Raises:
            OSError: it is gone, or cannot be touched.
        """
        os.utime(str(placed.path))

    def revoke(self, placed: PlacedClaim) -> bool:
        """Nothing: who comes back looks whether its claim still counts."""
        return True

    def free(self, placed: PlacedClaim, claim: Claim) -> None:
        """As `free_claim`."""
        free_claim(_local(placed.path), claim)


def latest_claim(store: Store, name: str) -> PlacedClaim | None:
    """The claim on a name that counts, or None when nobody ever claimed it.

    Raises:
        StoreError: the folder cannot be read.
    """
    while True:
        path = max(store.locks.glob(f"{name}-{'[0-9]' * _DIGITS}.json"), default=None)
        if path is None:
            return None
        try:
            return PlacedClaim(path, _parsed(path.read_text(encoding="utf-8", errors="replace")))
        except FileNotFoundError:
            continue  # followed by a newer one since it was listed
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error}). Check the folder and its permissions") from error


def claimed_names(store: Store, pattern: str) -> list[str]:
    """The names like a glob pattern that were ever claimed, whoever holds them now."""
    suffix = f"-{'[0-9]' * _DIGITS}.json"
    return sorted({path.stem[: -_DIGITS - 1] for path in store.locks.glob(pattern + suffix)})


def is_live(placed: PlacedClaim, *, lease_seconds: float) -> bool:
    """Whether somebody still works under a claim.

    A holder of this host is asked for; one of another host, or of another container, is believed dead when it has not
    touched its claim for `lease_seconds`, by the clock of the file system.

    Raises:
        StoreError: the file system cannot be asked for its time.
    """
    if placed.claim is not None and not placed.claim.held:
        return False
    holder = placed.claim.holder if placed.claim is not None else None
    if holder is not None and is_of_this_boot(holder):
        return not has_ended(holder)
    try:
        # Invariant: a lease is measured by one clock, that of the file system, which stamps the heartbeat: the clocks
        # of two hosts may be minutes apart.
        silent_seconds = _file_system_time(_local(placed.path).parent) - placed.path.stat().st_mtime
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{placed.path}: cannot be read ({error}). Check the folder and its permissions") from error
    if holder is not None and is_here(holder, silent_seconds=silent_seconds):
        return not has_ended(holder)
    return silent_seconds < lease_seconds


def place_claim(store: Store, name: str, *, claim: Claim, after: PlacedClaim | None) -> Path | None:
    """Make the claim that follows `after`; None when somebody else was faster.

    Raises:
        StoreError: the store cannot be written.
    """
    number = 1 if after is None else _number(_local(after.path)) + 1
    locks = _local(store.locks)
    path = locks / f"{name}-{number:0{_DIGITS}d}.json"
    try:
        created = _create(path, json.dumps(asdict(claim)) + "\n")
    except OSError as error:
        raise StoreError(f"{path}: the lock cannot be made ({error}). {_remedy(store, error)}") from error
    if not created:
        return None
    latest = latest_claim(store, name)
    # Race: a slow taker may make a number that was in use and has been removed, after a higher one was given out. It
    # sees the higher one here, and takes its own back.
    if latest is None or latest.path != path:
        path.unlink(missing_ok=True)
        return None
    for older in locks.glob(f"{name}-{'[0-9]' * _DIGITS}.json"):
        if older < path:
            older.unlink(missing_ok=True)
    _sweep_asides(path, name)
    return path


def free_claim(path: Path, claim: Claim) -> None:
    """Give a claim back. On a full disk it is written over in its place, which needs no space.

    Where even that fails the claim stays, and ends with its process: what was committed is not to fail for it.
    """
    text = json.dumps(asdict(claim) | {"held": False}) + "\n"
    try:
        write_text(path, text)
    except StoreError:
        with contextlib.suppress(OSError), path.open("r+", encoding="utf-8") as stream:
            stream.write(text)
            stream.truncate()


def _create(path: Path, text: str) -> bool:
    """Make a file whole; False when it is there already, or its number has been passed and the file aside swept.

    Raises:
        OSError: it cannot be made.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        make_folder(path.parent)
        aside.write_text(text, encoding="utf-8")
        fsync_path(aside)
        with contextlib.suppress(FileNotFoundError):
            # Race: any number of takers. A link fails where the name exists, in one step of the file system (on NFS
            # too), and what it shows is whole; of all takers of a number exactly one goes on.
            try:
                os.link(aside, path)
            except FileExistsError:
                # Race: on NFS the answer to a link may be lost, and the request asked again finds its own work.
                return os.path.samefile(aside, path)
            return True
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    return False


def _remedy(store: Store, error: OSError) -> str:
    """What to do where a claim cannot be made. No command sweeps a full disk: each takes the lock first."""
    left = sorted(path.name for path in _local(store.snapshots).glob(".*"))
    if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not left:
        return "Check space and permissions"
    return f"Free some space: a compaction that was killed has left {left[0]} in {store.snapshots}; remove it by hand"


def _sweep_asides(path: Path, name: str) -> None:
    """Remove what takers wrote aside for this number or an older one, which nobody can have any more: they were killed,
    or are about to find that they were too slow."""
    for aside in path.parent.glob(f".{name}-{'[0-9]' * _DIGITS}.json.*{TEMPORARY_SUFFIX}"):
        if aside.name[1 : 1 + len(path.name)] <= path.name:
            aside.unlink(missing_ok=True)


def _parsed(text: str) -> Claim | None:
    try:
        return typed(Claim, loaded_json(text))
    except ValueError:
        return None


def _local(path: StorePath) -> Path:
    """A path of these claims, which are in a folder; those of object storage are leases."""
    if not isinstance(path, Path):
        raise TypeError(f"{path}: is in no folder")
    return path


def _number(path: Path) -> int:
    return int(path.stem[-_DIGITS:])


def _file_system_time(folder: Path) -> float:
    """The time by the clock that stamps files there, which need not be this host's."""
    probe = folder / f".clock.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)
