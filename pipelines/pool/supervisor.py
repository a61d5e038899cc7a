"""The launcher's watch over its actors: start them, start again those that Ray gave up, and let go those too many.

Ray restarts an actor whose process died, `max_restarts` times, but never one whose constructor raised. The supervisor
makes a new actor of the same name then, after a while that doubles, and gives a name up after so many starts in a row
that never answered.

An actor that is too many gets no more batches: its name leaves the roster that clients read, and it turns away what
they still send. When it has ended what it runs and its answer is on its way, its process ends.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError

from bioner_core.errors import PoolError
from pipelines.pool.actor_handles import await_death, is_alive, kill_message, make_actor, memory_kills
from pipelines.pool.actor_slot import ActorSlot
from pipelines.pool.actors import ActorStatus
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_report import ActorReport
from pipelines.pool.pool_settings import LOCAL, PoolSettings, actor_name
from pipelines.pool.service import AnnotatorSpec

_LOOK_EVERY_SECONDS = 1.0
"""How often each actor is asked how it is; an order to scale ends the wait at once."""
_DRAIN_LOOK_SECONDS = 0.1
"""The same when no actor is wanted any more: somebody waits for the end."""
_CLOSE_SECONDS = 20.0
"""How long the end of killed actors is waited for; they cannot refuse, but a loaded machine takes a while."""
_NAME_SECONDS = 20.0
"""How long the actors of a launcher that was killed may keep their names."""

_MEMORY_LOOK_SECONDS = 5.0
"""How often Ray is asked which processes it has ended for memory."""

_STOPPED = "it was stopped; what is committed stays, so start it again and run the same command"

_log = logging.getLogger(__name__)


class Supervisor:
    """Owns the actors of one pool from `start` to `close`; needs a connection to Ray.

    One thread changes the slots: the caller's until `start` returns, then the watch. `tell` is called with how far the
    start is, `warn` with what went wrong and does not end the pool, in either thread; without them it is logged.
    """

    def __init__(
        self,
        settings: PoolSettings,
        spec: AnnotatorSpec,
        *,
        tell: Callable[[str], None] | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._spec = spec
        self._tell = tell or _log.warning
        self._warn = warn or _log.warning
        self._joining: set[str] = set()
        self._memory_kills: frozenset[str] = frozenset()
        self._memory_look_at = 0.0
        self._slots = [ActorSlot(name) for name in settings.actor_names()]
        self._wanted = settings.actors
        self._drain_seconds = settings.drain_seconds
        self._kv = PoolKV(settings.namespace)
        self._owns_namespace = False
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._ordered = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bioner-supervisor", daemon=True)
        self.failure = ""
        """Why this pool will never answer again; empty while it may."""

    @property
    def wanted(self) -> int:
        """How many actors there should be."""
        return self._wanted

    def start(self) -> None:
        """Start all actors side by side, and return when enough have answered; then watch them all until `close`.

        Raises:
            PoolError: too many actors failed to start too often, a traceback of theirs in the message; too few answered
                in time; or another pool has the namespace.
        """
        deadline = time.monotonic() + self._settings.start_seconds
        self._take_namespace()
        self._note_roster()
        while sum(slot.answered for slot in self._slots) < self._settings.ready_for_work:
            self._check_start(deadline)
            self._await_pings(_LOOK_EVERY_SECONDS)
            self._step()
        self._joining = {slot.name for slot in self._slots if not slot.answered}
        if self._joining:
            ready = len(self._slots) - len(self._joining)
            self._tell(f"{ready} of {len(self._slots)} actors are ready, and work begins; the others join it")
        self._thread.start()

    def handles(self) -> dict[str, Any]:
        """The actors that bear the names now, by name."""
        return {slot.name: slot.handle for slot in self._slots if slot.handle is not None}

    def reports(self) -> tuple[ActorReport, ...]:
        """How each actor stands, as it said within the last seconds."""
        return tuple(slot.report() for slot in self._slots)

    def said(self) -> dict[str, ActorStatus]:
        """What each actor said of itself last, by name; those that have not answered yet are left out."""
        return {slot.name: slot.said for slot in self._slots if slot.said is not None}

    @property
    def memory_kills(self) -> int:
        """How many processes of these actors Ray has ended for memory."""
        return len(self._memory_kills)

    def scale(self, actors: int) -> None:
        """Want so many actors from now on; returns at once. Those that are too many end the batch that they run.

        A name that was given up is replaced by another.
        """
        self._wanted = actors
        self._ordered.set()
        self._wake.set()

    def dismiss(self, drain_seconds: float) -> None:
        """Let every actor go, each with so long to end the batch that it runs; returns at once.

        Clients hear that the pool was stopped. `reports` is empty once all have gone.
        """
        self._kv.note_failure(_STOPPED)
        self._drain_seconds = drain_seconds
        self.scale(0)

    def close(self) -> None:
        """Kill every actor of this pool and return when they are gone. May be called at any time, more than once."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        for slot in self._slots:
            slot.kill()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for handle in self.handles().values():
            await_death(handle, deadline)
        if self._owns_namespace:
            self._kv.clear()

    def _watch(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(_LOOK_EVERY_SECONDS if self._wanted else _DRAIN_LOOK_SECONDS)
            self._wake.clear()
            if self._closing.is_set():
                return
            try:
                self._obey()
                self._step()
            except RayError as error:
                self.failure = f"the connection to Ray is lost: {error}"
                _log.error("the pool %s is watched no more, Ray is lost: %s", self._settings.namespace, error)
                return

    def _obey(self) -> None:
        """Do what `scale` asked for: let go whoever is too many or was given up, and name who is missing."""
        if not self._ordered.is_set():
            return
        self._ordered.clear()
        staying = [slot for slot in self._slots if not slot.draining]
        given_up = sum(slot.given_up for slot in staying)
        leaving = sorted(staying, key=lambda slot: slot.rank)[: max(len(staying) - self._wanted, given_up)]
        for slot in leaving:
            slot.drain(time.monotonic() + self._drain_seconds)
        missing = self._wanted - len(staying) + len(leaving)
        # Invariant: an actor that drains keeps its name until it is gone; a new one gets another name, or clients would
        # send batches to the old process.
        self._slots = [*self._slots, *map(ActorSlot, self._free_names(missing))]
        self._note_roster()

    def _free_names(self, count: int) -> list[str]:
        taken = {slot.name for slot in self._slots}
        names = (name for name in map(actor_name, itertools.count()) if name not in taken)
        return list(itertools.islice(names, count))

    def _note_roster(self) -> None:
        self._kv.note_roster([slot.name for slot in self._slots if not slot.draining])

    def _step(self) -> None:
        arrived = self._arrived_pings()
        gone = [slot for slot in self._slots if not self._look_after(slot, arrived)]
        for slot in gone:
            self._slots = [other for other in self._slots if other is not slot]
            self._kv.forget_starts(slot.name)
        self._note_joined()
        if time.monotonic() >= self._memory_look_at:
            self._memory_look_at = time.monotonic() + _MEMORY_LOOK_SECONDS
            self._look_for_memory_kills()

    def _note_joined(self) -> None:
        joined = {slot.name for slot in self._slots if slot.name in self._joining and slot.answered}
        self._joining -= joined
        if joined:
            self._tell(f"{sum(slot.answered for slot in self._slots)} of {self._wanted} actors are ready")

    def _look_for_memory_kills(self) -> None:
        kills = memory_kills()
        if self._settings.ray_address != LOCAL:  # other people's workers may run in the cluster
            ours = {slot.said.worker_id for slot in self._slots if slot.said is not None}
            kills = {worker: words for worker, words in kills.items() if worker in ours | self._memory_kills}
        new = kills.keys() - self._memory_kills
        if new:
            self._memory_kills = frozenset(self._memory_kills | new)
            self._kv.note_memory_kills(self.memory_kills)
            self._warn(kill_message(len(new), kills[min(new)]))

    def _arrived_pings(self) -> set[Any]:
        pings = [slot.ping for slot in self._slots if slot.ping is not None]
        return set(ray.wait(pings, num_returns=len(pings), timeout=0)[0]) if pings else set()

    def _look_after(self, slot: ActorSlot, arrived: set[Any]) -> bool:
        """Do what a slot needs now; False when it is no more."""
        if slot.draining:
            return self._finish_draining(slot, arrived)
        if slot.given_up:
            return True
        if slot.handle is None:
            if time.monotonic() >= slot.create_at:
                self._create(slot)
        elif slot.ping in arrived:
            self._read_ping(slot)
        elif time.monotonic() - slot.last_answer_at > self._settings.start_seconds:
            self._begin_anew(slot)
        elif slot.ping is None:
            slot.ask()
        return True

    def _begin_anew(self, slot: ActorSlot) -> None:
        """Replace an actor that has answered nothing for `start_seconds`, at once; no failed start is counted.

        A client ends an actor that hangs with a batch of its own; this one hangs in a start, or has no batch. One that
        has found no room on any node loses nothing by it.
        """
        slot.ping = None
        slot.on_ping_failed(PoolError(f"it answered nothing for {self._settings.start_seconds:g} s"))
        slot.kill()
        slot.handle, slot.create_at = None, time.monotonic()

    def _read_ping(self, slot: ActorSlot) -> None:
        ping, slot.ping = slot.ping, None
        try:
            slot.on_ping(ray.get(ping))
        except ActorUnavailableError as error:  # Ray is restarting it
            slot.on_ping_failed(error)
        except RayError as error:
            slot.on_ping_failed(error)
            self._replace(slot)

    def _finish_draining(self, slot: ActorSlot, arrived: set[Any]) -> bool:
        """Follow a draining actor until it is gone; False when it is."""
        if slot.handle is None or slot.given_up or not slot.answered or time.monotonic() > slot.drain_until:
            slot.kill()
            return False
        if slot.ping is None:
            slot.ask()
        if slot.ping not in arrived:
            return True
        ping, slot.ping = slot.ping, None
        try:
            slot.on_ping(ray.get(ping))
        except RayError:  # it has left, or died, or is being restarted for nothing
            slot.kill()
            return False
        if slot.status is None or slot.status.overdue:
            slot.kill()
            return False
        if not slot.status.batch_id:
            slot.leave()
        return True

    def _replace(self, slot: ActorSlot) -> None:
        slot.failed_starts += not slot.answered
        slot.kill()
        slot.handle = None
        if slot.failed_starts < self._settings.max_failed_starts:
            slot.create_at = time.monotonic() + self._settings.back_off(slot.failed_starts)
            return
        slot.given_up = True
        if self._thread.is_alive():
            self._warn(_given_up_message(slot))
        if all(other.given_up or other.draining for other in self._slots):
            self.failure = _given_up_message(slot)
            self._kv.note_failure(self.failure)

    def _create(self, slot: ActorSlot) -> bool:
        """Make an actor of this name; False when the name is taken, and the next step tries again."""
        threads = self._settings.threads(self._wanted)
        handle = make_actor(slot.name, self._settings, spec=self._spec, threads=threads)
        if handle is not None:
            slot.attach(handle)
        return handle is not None

    def _take_namespace(self) -> None:
        """Make all actors; a name may still be borne by an actor of a launcher that was killed a moment ago.

        Raises:
            PoolError: another pool has the namespace.
        """
        deadline = time.monotonic() + _NAME_SECONDS
        for slot in self._slots:
            while not self._create(slot):
                if time.monotonic() > deadline or is_alive(slot.name, self._settings.namespace):
                    raise PoolError(
                        f"an actor {slot.name} exists in the Ray namespace {self._settings.namespace!r}: "
                        "another pool runs there, so choose another name for this one"
                    )
                time.sleep(0.2)
            # Race: two launchers may take one name at once. Ray gives an actor's name to one of them, so the notes are
            # cleared only by the launcher that has made an actor.
            if not self._owns_namespace:  # what notes there are, a launcher left that was killed
                self._owns_namespace = True
                self._kv.clear()

    def _await_pings(self, seconds: float) -> None:
        pings = [slot.ping for slot in self._slots if slot.ping is not None and not slot.answered]
        if pings:
            ray.wait(pings, timeout=seconds)
        else:
            time.sleep(0.1)

    def _check_start(self, deadline: float) -> None:
        given_up = [slot for slot in self._slots if slot.given_up]
        if len(self._slots) - len(given_up) < self._settings.ready_for_work:
            raise PoolError(_given_up_message(given_up[0]))
        if time.monotonic() > deadline:
            missing = [slot for slot in self._slots if not slot.answered]
            names = ", ".join(slot.name for slot in missing)
            raise PoolError(
                f"{len(missing)} of {len(self._slots)} actors did not start in {self._settings.start_seconds:g} s "
                f"({names}), and {self._settings.ready_for_work} must be ready; each asks for "
                f"{self._settings.cpus_per_actor:g} CPUs and {self._settings.gpus_per_actor:g} GPUs of "
                f"{ray.cluster_resources()}; {missing[0].last_error}"
            )


def _given_up_message(slot: ActorSlot) -> str:
    return (
        f"the actor {slot.name} failed to start {slot.failed_starts} times in a row; its last error: {slot.last_error}"
    )
