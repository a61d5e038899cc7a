"""Which process is at work, told so that another one can see later whether it still is."""

import hashlib
import math
import os
import re
import socket
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
"""Where the system keeps an id that stays through a reboot."""

_MACHINE_ID_DIGITS = 32
"""An image that was never started has a word there, or nothing."""

_PROCESSES = Path("/proc/self/ns/pid")
_ALL_PROCESSES = "pid:[4026531836]"
"""What Linux calls the processes of a machine that are in no container, on every machine and after each boot."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process: its host, its id, and when it was born, since ids are given out again.

    `birth` is made of the host's boot and the start of the process; empty where the system does not tell. Host names
    are given out more than once, too: `processes` names the processes among which the id counts, those of the machine
    or of a container (the namespace of ids), and `machine` is a digest of what the machine keeps through a reboot. Both
    are empty where the system does not tell, or an older bioner wrote it down.
    """

    host: str
    pid: int
    birth: str
    processes: str = ""
    machine: str = ""


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    return ProcessIdentity(socket.gethostname(), os.getpid(), birth_of(os.getpid()), _processes(), _machine())


def is_here(identity: ProcessIdentity, *, silent_seconds: float = math.inf) -> bool:
    """Whether the process is, or was, one of this host: only then can `has_ended` tell anything.

    One of before a reboot is, where the machine is known to be the same: it has ended. `silent_seconds` is for how long
    nothing has been heard of it. Where the system tells of no boot, the name of the host must do.
    """
    untold = identity.host == socket.gethostname() and not (identity.birth or birth_of(os.getpid()))
    return is_of_this_boot(identity) or _is_before_reboot(identity, silent_seconds) or untold


def is_of_this_boot(identity: ProcessIdentity) -> bool:
    """Whether this process sees the process, or did: of two hosts or containers of one name it sees those of one."""
    boot = _boot(birth_of(os.getpid()))
    same_boot = bool(boot) and _boot(identity.birth) == boot
    # Without a name of the processes an older bioner wrote it down, or the system has no containers.
    sees = not identity.processes or identity.processes == _processes()
    return identity.host == socket.gethostname() and same_boot and sees


def _is_before_reboot(identity: ProcessIdentity, silent_seconds: float) -> bool:
    """Whether the machine was started again since. Never told of a container: many of one image have one machine id."""
    in_none = identity.processes == _processes() == _ALL_PROCESSES
    same_machine = bool(identity.machine) and identity.machine == _machine()
    if not (identity.host == socket.gethostname() and in_none and same_machine):
        return False
    # Race: machines that were cloned have one name and one machine id. Whoever was heard of since this machine was
    # started is a process of another one.
    return silent_seconds > time.clock_gettime(time.CLOCK_BOOTTIME)


def has_ended(identity: ProcessIdentity) -> bool:
    """Whether a process of this host is gone, also when its id now belongs to another one."""
    try:
        os.kill(identity.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's process: its birth says whether it is the one that was meant
    return birth_of(identity.pid) != identity.birth


def process_mark() -> str:
    """The calling process, short enough for the name of a file that it needs for the moment."""
    return _mark_of(os.getpid())


def has_left(name: str) -> bool | None:
    """Whether the process that marked a name has ended; None where nothing tells, as on another host or in another
    boot of this one."""
    found = _MARK.search(name)
    if found is None or not found[2] or found[3] != _place():
        return None
    return birth_of(int(found[1])).rpartition(":")[2] != found[2]


_MARK = re.compile(r"p(\d+)-(\d*)-([0-9a-f]{12})")


@cache
def _mark_of(pid: int) -> str:
    return f"p{pid}-{birth_of(pid).rpartition(':')[2]}-{_place()}"


def _place() -> str:
    """A digest of where a process can be asked for: its host, the boot of it, and among which processes ids count."""
    words = (socket.gethostname(), _boot(birth_of(os.getpid())), _processes())
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


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


def _boot(birth: str) -> str:
    return birth.partition(":")[0]


def _processes() -> str:
    try:
        return os.readlink(_PROCESSES)
    except OSError:
        return ""


def _machine() -> str:
    """A digest, since the id itself is not to leave the machine (machine-id(5))."""
    try:
        found = MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    known = len(found) == _MACHINE_ID_DIGITS
    return hashlib.sha256(f"bioner {found}".encode()).hexdigest()[:16] if known else ""
