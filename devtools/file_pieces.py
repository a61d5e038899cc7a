"""A folder as files of a bounded size, and back: what is brought back from a machine may be at most 16 MiB a file."""

import hashlib
import io
import json
import lzma
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from bioner_core.errors import InputError

PIECE_BYTES = 15 * 1024 * 1024
"""A piece's size: what is brought back may be at most 16 MiB a file."""

_LIST = "pieces.json"


def write_pieces(members: Mapping[str, Path], output: Path) -> None:
    """Write files, each under its name, in pieces; `output` is replaced whole, so that it never holds half of them."""
    packed = lzma.compress(_tar(members), preset=1)
    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    names: list[str] = []
    for start in range(0, len(packed), PIECE_BYTES):
        names.append(f"piece{len(names):02d}.xz")
        (fresh / names[-1]).write_bytes(packed[start : start + PIECE_BYTES])
    about = {"sha256": hashlib.sha256(packed).hexdigest(), "pieces": names}
    (fresh / _LIST).write_text(json.dumps(about), encoding="utf-8")
    shutil.rmtree(output, ignore_errors=True)
    os.replace(fresh, output)
    print(f"{output}: {len(names)} pieces, {len(packed) / 1e6:.1f} MB")


def read_pieces(pieces: Path, output: Path) -> None:
    """Make the files again, below `output`.

    Raises:
        InputError: a piece is missing or damaged; nothing is written.
    """
    with tarfile.open(fileobj=io.BytesIO(_joined(pieces))) as archive:
        archive.extractall(output, filter="data")


def files_below(folder: Path, *, under: str) -> dict[str, Path]:
    """All files of a folder by their names below it, with `under` before each."""
    return {f"{under}/{one.relative_to(folder)}": one for one in sorted(folder.rglob("*")) if one.is_file()}


def _tar(members: Mapping[str, Path]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, file in members.items():
            archive.add(file, arcname=name, recursive=False)
    return sink.getvalue()


def _joined(folder: Path) -> bytes:
    if not (folder / _LIST).is_file() and (kept := folder.with_name(f".{folder.name}.new") / _LIST).is_file():
        folder = kept.parent  # cut off between removing the old pieces and renaming the new ones
    about = json.loads((folder / _LIST).read_text(encoding="utf-8"))
    missing = [name for name in about["pieces"] if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder}: these pieces are missing: {', '.join(missing)}; carry them again")
    packed = b"".join((folder / name).read_bytes() for name in about["pieces"])
    if hashlib.sha256(packed).hexdigest() != about["sha256"]:
        raise InputError(f"{folder}: the pieces are damaged; carry them again")
    return lzma.decompress(packed)
