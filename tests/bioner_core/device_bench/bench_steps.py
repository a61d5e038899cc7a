"""Steps of benches that take no time, in a module that a child process can import."""

import os
import time

from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.steps import Clock, Findings, Step


def fragile_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """A step that ends its process after a finding, between two that work."""
    return [Step("before", 0, _work), Step("deadly", 0, _die), Step("after", 0, _work)]


def endless_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """A step that never ends, after a finding."""
    return [Step("endless", 0, _go_on)]


def no_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """A part that cannot begin."""
    raise RuntimeError("nothing to begin with")


def _work(clock: Clock, found: Findings) -> None:
    found.note("worked", process=os.getpid())


def _die(clock: Clock, found: Findings) -> None:
    found.note("half of it", half=1)
    os._exit(9)


def _go_on(clock: Clock, found: Findings) -> None:
    found.note("half of it", half=1)
    while True:
        time.sleep(1)
