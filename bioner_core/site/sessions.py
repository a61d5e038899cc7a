"""Sessions of a store that stay open between pages: opening one reads the ends of all files, which a page need not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock

from bioner_core.linking.link_table import current_links
from bioner_core.store.layout import Store
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.snapshot.snapshot_manifest import current_id


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What questions may take: memory in bytes of all together, seconds of one, how many at once."""

    memory_bytes: int
    seconds: float
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class _Open:
    """An open session, what it was opened of, and what closes it."""

    state: tuple[str, str]
    session: QuerySession
    closing: ExitStack


class SessionPool:
    """Lends sessions of the current snapshot and links; each is used by one page at a time."""

    def __init__(self, store: Store, limits: SessionLimits) -> None:
        self._store = store
        self._limits = limits
        self._free = BoundedSemaphore(limits.at_once)
        self._lock = Lock()
        self._idle: list[_Open] = []

    @contextmanager
    def session(self) -> Iterator[QuerySession]:
        """A session for one page; waits while as many as the limits allow are lent.

        Raises:
            StoreError: the store is damaged.
        """
        with self._free:
            lent = self._taken() or self._opened()
            try:
                with lent.session.given_up_after(self._limits.seconds):
                    yield lent.session
            except BaseException:
                lent.closing.close()  # a question that was broken off may have left something behind
                raise
            with self._lock:
                self._idle.append(lent)

    def _taken(self) -> _Open | None:
        state = self._state()
        with self._lock:
            fitting = [one for one in self._idle if one.state == state]
            stale = [one for one in self._idle if one.state != state]
            self._idle = fitting[1:]
        for one in stale:
            one.closing.close()
        return fitting[0] if fitting else None

    def _opened(self) -> _Open:
        state = self._state()  # before it is opened: what changes meanwhile makes it stale
        with ExitStack() as stack:
            memory = self._limits.memory_bytes // self._limits.at_once
            session = stack.enter_context(query_session(self._store, memory_bytes=memory))
            return _Open(state, session, stack.pop_all())

    def _state(self) -> tuple[str, str]:
        page = current_links(self._store)
        return current_id(self._store) or "", page.run if page else ""
