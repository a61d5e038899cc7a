"""Move a model's adapter towards that of the model it was trained from, so that training goes on from what both know.

    python -m devtools.mix_models runs/pubtator smollm2 runs/mixed --share 0.3

A model that was trained on has forgotten a part of what its mix no longer holds. Between the weights of two models of
one descent lies one that knows more of both (Wortsman et al., arXiv 2109.01903); docs/training.md says what it gave.
Only the adapters are mixed, since tags and prompts of the two may differ; all else is the first model's.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file

from bioner_core.errors import BionerError, ConfigurationError, ModelError
from bioner_core.models.directory import ADAPTER_FOLDER, model_folder
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
    given = parser.parse_args(arguments)
    try:
        mix_models(model_folder(given.model), model_folder(given.other), given.output, share=given.share)
    except BionerError as error:
        warn(str(error))
        return EXIT_FAILED
    return 0


def mix_models(folder: Path, other: Path, output: Path, *, share: float) -> None:
    """Write the model of `folder` with an adapter that is `share` of the way to that of `other`.

    Raises:
        ConfigurationError: the share is not between 0 and 1.
        ModelError: the two have different bases, or adapters of different sizes.
    """
    if not 0 < share < 1:
        raise ConfigurationError(f"share = {share}: give a number above 0 and below 1")
    if read_card(folder).base_sha256 != read_card(other).base_sha256:
        raise ModelError(f"{folder} and {other} stand on different bases: mix models of one descent")
    ours, theirs = load_file(folder / _WEIGHTS), load_file(other / _WEIGHTS)
    if {name: one.shape for name, one in ours.items()} != {name: one.shape for name, one in theirs.items()}:
        raise ModelError(f"{folder} and {other} have adapters of different sizes: mix models of one descent")
    mixed = {name: one.float().lerp(theirs[name].float(), share).to(one.dtype) for name, one in ours.items()}
    shutil.copytree(folder, output, dirs_exist_ok=True)
    write_tensors(output / _WEIGHTS, mixed)


if __name__ == "__main__":
    sys.exit(main())
