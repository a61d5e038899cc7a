"""Jobs in processes of their own, on a store of an object service: to be killed, or stopped and woken."""

import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from little_stores import Event, commit_input

from bioner_core.errors import StoreError
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.reading import read_manifests
from bioner_core.store.sweep import sweep_orphans
from devtools.object_service import environment_of

INPUTS = (
    [Event(number, words=1 + number % 3) for number in range(6)],
    [Event(2, version=2), Event(3, deleted=True), Event(9)],
)
_SMALL = CompactionSettings(keep=1, memory_bytes=2**28, file_bytes=1)


def write_all(store: Store) -> None:
    """What a job does: take the lock, sweep after a dead one, commit what is not committed, and compact."""
    with StoreLock(store, purpose="test", wait_seconds=10) as lock:
        if lock.took_over:
            sweep_orphans(store)
        for number, events in enumerate(INPUTS, 1):
            committed = [one for one in read_manifests(store) if f"n{number:04d}" in one.input_file]
            if sum(one.counts.records_in for one in committed) < len(events):
                commit_input(store.root, number, events)
        compact_store(store, _SMALL)


def commit_one(store: Store) -> None:
    """Commit one shard under the lock, by whose long lease a holder that is slow on a busy machine is not dead."""
    with StoreLock(store, purpose="test"):
        commit_input(store.root, 1, INPUTS[0][:3])


def calm_store(folder: Path) -> Store:
    """What an undisturbed job makes, in a folder."""
    store = Store(folder)
    folder.mkdir()
    write_all(store)
    return store


@dataclass(slots=True)
class Job:
    """A process that works on a store; `host` is what it takes for the name of its machine."""

    url: str
    root: str
    work: Callable[[Store], None]
    host: str = ""
    _ends: Any = field(init=False)
    _process: Any = field(init=False)

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        # The server of forks looks at no `sys.path` of ours, and passes over what it cannot import beforehand.
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        context.set_forkserver_preload(["object_writer"])
        self._ends, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self.url, self.root, self.work, self.host))
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The id of the process."""
        while self._process.pid is None:
            time.sleep(0.001)
        return int(self._process.pid)

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self._process.exitcode is not None

    def begin(self) -> None:
        """Let it work; before, it has asked for nothing."""
        self._ends.send("begin")

    def end(self, seconds: float = 60.0) -> str:
        """Wait for its end: "" if it did its work, "killed", or the words of its error."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, "it does not end"
        try:
            return str(self._ends.recv())
        except EOFError:
            return "killed"
        finally:
            self._ends.close()


def _work(ends: Any, url: str, root: str, work: Callable[[Store], None], host: str) -> None:
    os.environ.update(environment_of(url))
    if host:
        socket.gethostname = lambda: host
    ends.recv()
    try:
        work(Store(ObjectPath.of(root)))
    except StoreError as error:
        ends.send(str(error))
    else:
        ends.send("")
