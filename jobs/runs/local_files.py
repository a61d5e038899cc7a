"""Files that a job keeps where readers can open them from a disk: downloads, and standard input, which `-` names."""

import hashlib
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.models.base_model import cache_folder
from bioner_core.process_identity import process_mark
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import TEMPORARY_SUFFIX
from bioner_core.store.paths import StorePath

STANDARD_INPUT = "-"
_CHUNK_BYTES = 1024 * 1024
_DIGEST_LENGTH = 16


def local_folder(folder: StorePath) -> Path:
    """A folder of a store; where that is on object storage, one for it alone in the cache of this machine."""
    if isinstance(folder, Path):
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:_DIGEST_LENGTH]
    return cache_folder() / "stores" / f"{folder.name}-{digest}"


def with_standard_input(inputs: Sequence[str], store: Store) -> tuple[str, ...]:
    """The inputs, `-` replaced by a file of the store that holds what standard input gives.

    The same content is the same file, `STORE/stdin/stdin-<digest>`: a second run finds it done, and `retry` finds it.
    Of a store on object storage it stays on this machine (`local_folder`).

    Raises:
        ConfigurationError: `-` is named twice, or standard input is a terminal.
        InputError: standard input is empty, or cannot be kept.
    """
    if STANDARD_INPUT not in inputs:
        return tuple(inputs)
    if inputs.count(STANDARD_INPUT) > 1 or sys.stdin.isatty():
        raise ConfigurationError("-: standard input can be read once, and from a pipe or a file: `zcat in.xml.gz | …`")
    kept = str(_kept(sys.stdin.buffer, local_folder(store.standard_input)))
    return tuple(kept if name == STANDARD_INPUT else name for name in inputs)


def _kept(stream: IO[bytes], folder: Path) -> Path:
    digest = hashlib.sha256()
    temporary = folder / f".{process_mark()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as target:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
            size = target.tell()
        path = folder / f"stdin-{digest.hexdigest()[:_DIGEST_LENGTH]}"
        if not size:
            raise InputError("-: standard input is empty")
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"-: standard input cannot be kept in {folder} ({error})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path
