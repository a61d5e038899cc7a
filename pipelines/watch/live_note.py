"""What a running job says of its actors, in a file of the store that is renewed while it runs and gone when it ends.

Whoever watches the store reads it, on any machine that shares the store, and needs no connection to Ray.
"""

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from bioner_core.errors import ObjectStorageError
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.typed_json import loaded_json, typed
from pipelines.watch.polling import repeating

if TYPE_CHECKING:  # it imports Ray, and who only reads a note needs none
    from pipelines.pool.actors import ActorStatus

_RENEW_SECONDS = 2.0
_RENEW_REMOTE_SECONDS = 10.0
"""Where each note is a request that is paid for."""
_HEALTH_SECONDS = 2.0
_STALE_SECONDS = 30.0


class WatchedPool(Protocol):
    """A pool that can say how its actors are."""

    def health(self, timeout_seconds: float = ...) -> "Mapping[str, ActorStatus | None]":
        """The status of each actor by name; None for one that does not answer in time."""
        ...

    def absent(self) -> Mapping[str, str]:
        """The names that have no actor at work, each with its state: on its way, or given up."""
        ...

    def memory_kills(self) -> int:
        """How many processes of its actors Ray has ended for memory."""
        ...


@dataclass(frozen=True, slots=True)
class LiveActor:
    """One actor of a running job: `state` is busy, idle or silent, or starting or given up where there is none at work;
    `batch_seconds` is for how long its batch has run.

    `busy_seconds` are all those that its process has worked, None if it is silent; `busy_share` is the part of its
    time, from 0 to 1, since its first batch, None before that.
    """

    name: str
    state: str
    batch_seconds: float = 0.0
    busy_seconds: float | None = None
    busy_share: float | None = None


def live_actors(pool: WatchedPool) -> tuple[LiveActor, ...]:
    """How the actors of a pool are now; one that does not answer within a moment is silent.

    Names without an actor at work are among them: a job that asked for eight and works with one shows seven that are on
    their way or were given up.
    """
    absent = pool.absent()
    there = {name: status for name, status in pool.health(_HEALTH_SECONDS).items() if name not in absent}
    return (*(_live(name, status) for name, status in there.items()), *(LiveActor(*one) for one in absent.items()))


@contextmanager
def live_note(store: Store, pool: WatchedPool) -> Iterator[None]:
    """Keep a note of the pool's actors in the store for the block; those that dead jobs left go."""
    for left in _notes(store):
        if not _is_fresh(left):
            left.unlink(missing_ok=True)
    path = store.jobs / f".live-{socket.gethostname()}-{os.getpid()}.json"
    seconds = _RENEW_REMOTE_SECONDS if store.is_remote else _RENEW_SECONDS
    try:
        with repeating(lambda: _write(path, pool), every_seconds=seconds, name="bioner-live-note"):
            yield
    finally:
        path.unlink(missing_ok=True)


def _write(path: StorePath, pool: WatchedPool) -> None:
    note = {"actors": [asdict(one) for one in live_actors(pool)], "memory_kills": pool.memory_kills()}
    try:
        if isinstance(path, ObjectPath):
            path.put(json.dumps(note).encode())
            return
        aside = path.with_suffix(".tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(note), encoding="utf-8")
        aside.replace(path)  # no fsync: after a power cut nobody wants it
    except (
        OSError,
        ObjectStorageError,
    ):  # the note is for whoever watches; the job itself will say it
        return


@dataclass(frozen=True, slots=True)
class LiveNote:
    """What the jobs that run now say: their actors, and how many processes of these Ray has ended for memory."""

    actors: tuple[LiveActor, ...] = ()
    memory_kills: int = 0


def read_live_note(store: Store) -> LiveNote:
    """What the jobs that run now say; nothing where no job does, or where it has not said anything for a while."""
    found, kills = list[LiveActor](), 0
    for path in filter(_is_fresh, _notes(store)):
        try:
            note = loaded_json(path.read_text(encoding="utf-8"))
            found += [typed(LiveActor, one) for one in note["actors"]]
            kills += typed(int, note.get("memory_kills", 0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # just taken away, or of another version
            continue
    return LiveNote(tuple(found), kills)


def _notes(store: Store) -> list[StorePath]:
    return sorted_paths(store.jobs.glob(".live-*.json"))


def _is_fresh(note: StorePath) -> bool:
    try:
        return time.time() - note.stat().st_mtime < _STALE_SECONDS
    except FileNotFoundError:  # just taken away
        return False


def _live(name: str, status: "ActorStatus | None") -> LiveActor:
    if status is None:
        return LiveActor(name, "silent")
    share = None if status.busy.share is None else round(status.busy.share, 4)
    return LiveActor(
        name,
        "busy" if status.batch_id else "idle",
        batch_seconds=round(status.running_seconds, 1),
        busy_seconds=round(status.busy.busy_seconds, 3),
        busy_share=share,
    )
