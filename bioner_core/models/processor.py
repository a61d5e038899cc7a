"""What the system says of this machine's processor. Imports no torch."""

import platform
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The processor's name where the system tells it."""
    named = _lines("model name")
    return named[0] if named else platform.processor() or platform.machine()


def processor_features() -> frozenset[str]:
    """The features of the first processor that Linux lists: x86 calls the line `flags`, ARM calls it `Features`."""
    named = _lines("flags", "Features")
    return frozenset(named[0].split()) if named else frozenset()


def _lines(*names: str) -> list[str]:
    lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines() if _CPU_INFO.is_file() else []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(names)]
