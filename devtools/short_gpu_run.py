"""Carry a base model and corpora to a machine with a GPU that has no network, in pieces, and bring a model back.

    python -m devtools.short_gpu_run pack gemma-3-270m --data ../shared/data --output pieces   # here
    python -m devtools.short_gpu_run unpack pieces                                             # there
    python -m devtools.short_gpu_run keep runs --output back/checkpoints                       # there, beside training
    python -m devtools.short_gpu_run cut runs/gemma --output back                              # there
    python -m devtools.short_gpu_run join back --output runs                                   # here again

Every piece and every result is checked by its digest. `keep` writes what each run has learned so far, each time that
there is a new checkpoint: where the machine is taken away too early, `join` makes a checkpoint of it, from which
`bioner train sft` with the same settings makes a model, or goes on with a fresh optimizer.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from bioner_core.errors import BionerError
from bioner_core.models.base_model import pulled_folder
from bioner_core.models.bases import PULLABLE
from bioner_core.training.checkpoint import PROGRESS_FILE, TENSORS_FILE, VALUE_PREFIX
from devtools.carried_base import CARRIED_FILE, carried_members, restore_base
from devtools.file_pieces import files_below, read_pieces, write_pieces

KEEP_SECONDS = 5.0
"""How often `keep` looks for a new checkpoint; how often there is one is for the run's settings to say."""


def pack(base: str, data: Path, *, output: Path, with_corpora: bool = True) -> None:
    """Write a base, and the corpora unless they travel with another, in pieces."""
    with tempfile.TemporaryDirectory() as work:
        members = carried_members(base, data, work=Path(work))
        if with_corpora:
            members |= {f"data/{one.relative_to(data)}": one for one in sorted(data.rglob("*.jsonl.gz"))}
        write_pieces(members, output)


def unpack(pieces: Path, shared: Path) -> None:
    """Join the pieces: corpora under `shared`/data, a pulled base where bioner looks for it, any other below `shared`.

    Raises:
        InputError: a piece is missing or damaged, or the base is not what was packed.
    """
    read_pieces(pieces, shared)
    for folder in sorted(shared.iterdir()):
        if (folder / CARRIED_FILE).is_file():
            restore_base(folder, pulled_folder(PULLABLE[folder.name]) if folder.name in PULLABLE else folder)


def keep(runs: Path, output: Path) -> None:
    """Write the trained values of each run's newest checkpoint, in pieces, until what started this is no more."""
    kept: dict[str, str] = {}
    parent = os.getppid()
    while os.getppid() == parent:
        for folder in sorted(runs.glob("*/checkpoint")):
            name = folder.parent.name
            try:
                progress = (folder / PROGRESS_FILE).read_text(encoding="utf-8")
                if kept.get(name) != progress:
                    _keep_values(folder, output / name)
                    kept[name] = progress
            except (OSError, SafetensorError) as error:  # replaced by a newer one meanwhile: it is there next time
                print(f"{name}: {error}")
        time.sleep(KEEP_SECONDS)


def _keep_values(checkpoint: Path, output: Path) -> None:
    """The checkpoint of a run without the optimizer's state, which is two thirds of it."""
    with tempfile.TemporaryDirectory() as work:
        with safe_open(checkpoint / TENSORS_FILE, framework="pt") as held:
            names = [name for name in held.keys() if name.startswith(VALUE_PREFIX)]  # noqa: SIM118 - it is no dict
            values = {name: held.get_tensor(name) for name in names}
        shutil.copy(checkpoint / PROGRESS_FILE, work)
        save_file(values, Path(work) / TENSORS_FILE)
        write_pieces(files_below(Path(work), under=f"{checkpoint.parent.name}/checkpoint"), output)


def main(arguments: Iterable[str] | None = None) -> None:
    """Run one of the steps; what is wrong with a base or a piece is one line, and exit code 1."""
    given = _parser().parse_args(None if arguments is None else list(arguments))
    try:
        _run(given)
    except BionerError as error:
        sys.exit(str(error))


def _run(given: argparse.Namespace) -> None:
    if given.step == "pack":
        pack(given.base, given.data, output=given.output, with_corpora=not given.without_corpora)
    elif given.step == "unpack":
        unpack(given.pieces, given.shared)
    elif given.step == "keep":
        keep(given.folder, given.output)
    elif given.step == "cut":
        write_pieces(files_below(given.folder, under=given.folder.name), given.output)
    else:
        read_pieces(given.folder, given.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    packing = steps.add_parser("pack", help="write a base and the corpora in pieces")
    packing.add_argument("base", help=f"one of {', '.join(sorted(PULLABLE))}, or a folder")
    packing.add_argument("--data", type=Path, required=True)
    packing.add_argument("--output", type=Path, required=True)
    packing.add_argument("--without-corpora", action="store_true", help="they travel with another base")
    unpacking = steps.add_parser("unpack", help="make base and corpora from the pieces")
    unpacking.add_argument("pieces", type=Path)
    unpacking.add_argument("--shared", type=Path, default=Path("../shared"))
    for name, what in (
        ("keep", "write what each run below a folder has learned, in pieces, each time that it has a new checkpoint"),
        ("cut", "write a folder in pieces"),
        ("join", "make a folder from its pieces"),
    ):
        one = steps.add_parser(name, help=what)
        one.add_argument("folder", type=Path)
        one.add_argument("--output", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
