"""Move a model's adapter towards that of the model it was trained from, so that training goes on from what both know.

    python -m devtools.mix_models runs/pubtator smollm2 runs/mixed --share 0.3

A model that was trained on has forgotten a part of what its mix no longer holds. Between the weights of two models of
one descent lies one that knows more of both (Wortsman et al., arXiv 2109.01903); docs/training.md says what it gave.
Only the adapters are mixed, since tags and prompts of the two may differ; all else is the first model's. With `--rows`
the rows of tags and characters are mixed too, of two models that have the same ones, such as two stages of one model.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from bioner_core.errors import BionerError, ConfigurationError, ModelError
from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE, model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.model_files import ADAPTER_WEIGHTS, write_tensors
from jobs.terminal.console import EXIT_FAILED, warn

_WEIGHTS = f"{ADAPTER_FOLDER}/{ADAPTER_WEIGHTS}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the mixed model; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="model directory, or the name of a model that ships")
    parser.add_argument("other", help="the model it was trained from, or another one of that descent")
    parser.add_argument("output", type=Path, help="folder that is made")
    parser.add_argument("--share", type=float, default=0.3, help="of the other model's adapter, above 0 and below 1")
    parser.add_argument("--rows", action="store_true", help="mix the rows too; tags and characters must be the same")
    given = parser.parse_args(arguments)
    try:
        folder, other = model_folder(given.model), model_folder(given.other)
        mix_models(folder, other, given.output, share=given.share, rows=given.rows)
    except BionerError as error:
        warn(str(error))
        return EXIT_FAILED
    return 0


def mix_models(folder: Path, other: Path, output: Path, *, share: float, rows: bool = False) -> None:
    """Write the model of `folder` with an adapter, and `rows` if so told, that are `share` of the way to `other`'s.

    Raises:
        ConfigurationError: the share is not between 0 and 1.
        ModelError: the two have different bases, or adapters of different sizes; or rows are to be mixed of models
            with different tags or characters.
    """
    if not 0 < share < 1:
        raise ConfigurationError(f"share = {share}: give a number above 0 and below 1")
    card, other_card = read_card(folder), read_card(other)
    if card.base_sha256 != other_card.base_sha256:
        raise ModelError(f"{folder} and {other} stand on different bases: mix models of one descent")
    if rows and (card.tags, card.characters) != (other_card.tags, other_card.characters):
        raise ModelError(f"{folder} and {other} have different tags or characters: leave out --rows")
    mixed = {name: _mixed(folder / name, other / name, share) for name in (_WEIGHTS, *([ROWS_FILE] if rows else []))}
    shutil.copytree(folder, output, dirs_exist_ok=True)
    for name, tensors in mixed.items():
        write_tensors(output / name, tensors)


def _mixed(file: Path, other: Path, share: float) -> dict[str, torch.Tensor]:
    ours, theirs = load_file(file), load_file(other)
    if {name: one.shape for name, one in ours.items()} != {name: one.shape for name, one in theirs.items()}:
        raise ModelError(f"{file} and {other} have tensors of different sizes: mix models of one descent")
    return {name: one.float().lerp(theirs[name].float(), share).to(one.dtype) for name, one in ours.items()}


if __name__ == "__main__":
    sys.exit(main())
