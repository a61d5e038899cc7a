"""The feeder as the soak sees it: a process that is started, told of jobs, killed, and started again."""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioner_core.errors import PoolError
from bioner_core.store.layout import Store

_END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class FeederSettings:
    """Which cluster a feeder joins, what its actors are like, and after how many seconds one of them is overdue."""

    address: str
    folder: Path
    actors: int
    seconds_per_batch: float
    deadline_seconds: float
    feeders: int = 1
    """More than one: the process gives the shards of a job to so many others, which are actors of Ray."""


class FeederGoneError(PoolError):
    """The feeder ended, or says nothing any more, before it answered; `killed` if it ended by SIGKILL."""

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed


class FeederProcess:
    """One feeder; `number` is its own among all of a soak. `kill` may be called from another thread."""

    def __init__(self, settings: FeederSettings, number: int) -> None:
        self.number = number
        self._log = (settings.folder / f"feeder-{number}.log").open("wb")
        words = ["--address", settings.address, "--folder", str(settings.folder), "--number", str(number)]
        words += ["--actors", str(settings.actors), "--seconds-per-batch", str(settings.seconds_per_batch)]
        words += ["--deadline", str(settings.deadline_seconds), "--feeders", str(settings.feeders)]
        self._process = subprocess.Popen(  # noqa: S603  our own module with our own words
            [sys.executable, "-m", "devtools.soak.feeder", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("a process was started without its pipes")
        self._input, self._output = self._process.stdin, self._process.stdout
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def answer(self, seconds: float) -> dict[str, Any]:
        """Wait so long at most for the next line that it says.

        Raises:
            FeederGoneError: it ended before that, or it said nothing; then its threads' stacks are in its log.
        """
        deadline, line = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.send_signal(signal.SIGUSR1)
                    time.sleep(1.0)
                    raise FeederGoneError(f"feeder {self.number} said nothing for {seconds:.0f} s")
                part = os.read(self._output.fileno(), 65536)
                if not part:
                    raise self._gone()
                line += part
        found: dict[str, Any] = json.loads(line)
        return found

    def tell(self, input_file: Path, store: Store) -> None:
        """Tell it of a job.

        Raises:
            FeederGoneError: it has ended.
        """
        try:
            self._input.write(json.dumps({"input": str(input_file), "store": str(store)}).encode() + b"\n")
            self._input.flush()
        except OSError as error:
            raise self._gone() from error

    def kill(self) -> bool:
        """Kill it with SIGKILL; whether it was alive."""
        with self._lock:
            if self._process.poll() is not None:
                return False
            self._process.kill()
            return True

    def end(self) -> int:
        """Let it end by itself, by the end of its input, and return its exit code; one that does not is killed."""
        with suppress(OSError):  # it is dead: there is nobody to tell
            self._input.close()
        try:
            return self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._output.close()
            self._log.close()

    def _gone(self) -> FeederGoneError:
        code = self._process.wait()
        return FeederGoneError(f"feeder {self.number} ended with {code}", killed=code == -signal.SIGKILL)
