"""The object storage of the soak: S3 on loopback, of which the next requests can be spoilt."""

import os
import random
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from devtools.object_service import Asked, Fault, environment_of, started_service

_WAYS = {
    "cut off before they were done": Fault(),
    "done, and their answers cut off": Fault(done=True),
    "refused with 503": Fault(status="503 Slow Down"),
    "done, and answered with 500": Fault(done=True, status="500 Internal Server Error"),
    "done two seconds late": Fault(seconds=2.0),
}
_MOST_IN_A_ROW = 3
"""Fewer than the eight tries that bioner makes of a request: more would end a job, and rightly."""


class StoreKind(StrEnum):
    """Where the store of a job is."""

    LOCAL = "local"
    S3 = "s3"


class StorageFaults:
    """What the service asks of each request, in its threads: whether it is to be spoilt."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()
        self._lock = threading.Lock()

    def __call__(self, _: Asked) -> Fault | None:
        """The fault of a request, if it is to have one."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    @property
    def is_waiting(self) -> bool:
        """Whether there is a fault that no request has had yet."""
        return bool(self._waiting)

    def spoil(self, randomness: random.Random) -> str:
        """Spoil the next one to three requests in one way; returns how, in words."""
        words = randomness.choice(tuple(_WAYS))
        number = randomness.randint(1, _MOST_IN_A_ROW)
        with self._lock:
            self._waiting.extend([_WAYS[words]] * number)
        return f"requests to object storage, {number} in a row: {words}"

    def forget(self) -> None:
        """Spoil nothing more."""
        with self._lock:
            self._waiting.clear()


@contextmanager
def object_storage() -> Iterator[StorageFaults]:
    """The service for the `with` block; processes that are started in it find it by their environment."""
    service, server = started_service()
    service.fault = faults = StorageFaults()
    before = {name: os.environ.get(name) for name in environment_of(service.url)}
    os.environ.update(environment_of(service.url))
    try:
        yield faults
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        server.shutdown()
        server.server_close()
