"""Which process is at work, told so that another one can see later whether it still is."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process: its host, its id, and when it was born, since ids are given out again.

    `birth` is made of the host's boot and the start of the process; empty where the system does not tell.
    """

    host: str
    pid: int
    birth: str


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    return ProcessIdentity(socket.gethostname(), os.getpid(), birth_of(os.getpid()))


def is_here(identity: ProcessIdentity) -> bool:
    """Whether the process is, or was, one of this host: only then can `has_ended` tell anything."""
    return identity.host == socket.gethostname()


def is_of_this_boot(identity: ProcessIdentity) -> bool:
    """Whether the process is, or was, one of this host since it was started: of two hosts of one name only one is."""
    boot = birth_of(os.getpid()).partition(":")[0]
    return is_here(identity) and bool(boot) and identity.birth.partition(":")[0] == boot


def has_ended(identity: ProcessIdentity) -> bool:
    """Whether a process of this host is gone, also when its id now belongs to another one."""
    try:
        os.kill(identity.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's process: its birth says whether it is the one that was meant
    return birth_of(identity.pid) != identity.birth


def birth_of(pid: int) -> str:
    """When a process of this host was born, in a form to compare; empty when there is none or nothing tells."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()  # a program's name may hold blanks and brackets
    state, ticks = fields[0], fields[19]
    return "" if state == "Z" else f"{boot}:{ticks}"  # a zombie does no work
