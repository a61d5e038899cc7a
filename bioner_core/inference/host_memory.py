"""How much memory this process can still have: the least of what the machine, its container and its own limit allow."""

import os
import resource
from pathlib import Path

_PROCESS = Path("/proc/self")
_MACHINE = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Bytes; 0 when a limit is passed already. Where the machine does not say what is free, half of what it has."""
    known = (_free_on_machine(_MACHINE), _free_in_group(_GROUPS, _PROCESS / "cgroup"), _free_in_address_space())
    return max(0, min(one for one in known if one is not None))


def _free_on_machine(meminfo: Path) -> int:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return kilobytes["MemAvailable"] * 1024


def _free_in_group(root: Path, membership: Path) -> int | None:
    """What the process's control group (version 2) and those above it leave; None where none has a limit."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    named = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    if not named:
        return None
    own = root / named[0]
    folders = [own, *own.parents]
    left = [_free_in_folder(folder) for folder in folders[: folders.index(root) + 1]]
    return min((one for one in left if one is not None), default=None)


def _free_in_folder(folder: Path) -> int | None:
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        statistics = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    if limit == "max":
        return None
    counts = dict(line.split() for line in statistics)
    # Cached files that nobody reads at the moment are given up when memory is asked for.
    return int(limit) - used + int(counts.get("inactive_file", 0))


def _free_in_address_space() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int((_PROCESS / "statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    return limit - pages * os.sysconf("SC_PAGE_SIZE")
