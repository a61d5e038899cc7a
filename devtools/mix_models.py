"""Move a model's adapter towards that of the model it was trained from, so that training goes on from what both know.

    python -m devtools.mix_models runs/pubtator smollm2 runs/mixed --share 0.3

A model that was trained on has forgotten a part of what its mix no longer holds. Between the weights of two models of
one descent lies one that knows more of both (Wortsman et al., arXiv 2109.01903); docs/training.md says what it gave.
Only the adapters are mixed; all else is the first model's. With `--rows` the rows of tags and characters are mixed too,
of two stages of one model that have the same characters: each tag that both have, by its name; others stay the first's.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from bioner_core.errors import EXIT_FAILED, BionerError, ConfigurationError, ModelError
from bioner_core.models.directory import ADAPTER_FOLDER, ADAPTER_WEIGHTS, ROWS_FILE, model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.model_files import write_tensors
from bioner_core.tagging.moves import FIRST_OPEN
from jobs.terminal.console import say_error

_Tensors = dict[str, torch.Tensor]
_WEIGHTS = f"{ADAPTER_FOLDER}/{ADAPTER_WEIGHTS}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the mixed model; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="model directory, or the name of a model that ships")
    parser.add_argument("other", help="the model it was trained from, or another one of that descent")
    parser.add_argument("output", type=Path, help="folder that is made")
    parser.add_argument("--share", type=float, default=0.3, help="of the other model's adapter, above 0 and below 1")
    parser.add_argument("--rows", action="store_true", help="mix the rows too; the characters must be the same")
    given = parser.parse_args(arguments)
    try:
        folder, other = model_folder(given.model), model_folder(given.other)
        mix_models(folder, other, output=given.output, share=given.share, rows=given.rows)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    return 0


def mix_models(folder: Path, other: Path, *, output: Path, share: float, rows: bool = False) -> None:
    """Write the model of `folder` with an adapter, and `rows` if so told, that are `share` of the way to `other`'s.

    Raises:
        ConfigurationError: the share is not between 0 and 1.
        ModelError: the two have different bases, or adapters of different sizes; or rows are to be mixed of models
            with different characters, or of which one reads definitions.
    """
    if not 0 < share < 1:
        raise ConfigurationError(f"share = {share}: give a number above 0 and below 1")
    card, other_card = read_card(folder), read_card(other)
    if card.base_sha256 != other_card.base_sha256:
        raise ModelError(f"{folder} and {other} have different base models; mix only models of one base")
    if rows and (card.characters, card.definition_rank) != (other_card.characters, other_card.definition_rank):
        raise ModelError(f"{folder} and {other} have different characters or definitions: leave out --rows")
    mixed = {_WEIGHTS: _mixed(load_file(folder / _WEIGHTS), load_file(other / _WEIGHTS), share, f"{folder}, {other}")}
    if rows:
        ours = load_file(folder / ROWS_FILE)
        theirs = _by_tag(ours, load_file(other / ROWS_FILE), card.tags, other_card.tags)
        mixed[ROWS_FILE] = _mixed(ours, theirs, share, f"{folder}, {other}")
    shutil.copytree(folder, output, dirs_exist_ok=True)
    for name, tensors in mixed.items():
        write_tensors(output / name, tensors)


def _mixed(ours: _Tensors, theirs: _Tensors, share: float, names: str) -> _Tensors:
    if {name: one.shape for name, one in ours.items()} != {name: one.shape for name, one in theirs.items()}:
        raise ModelError(f"{names}: tensors of different sizes; mix models of one descent")
    return {name: one.float().lerp(theirs[name].float(), share).to(one.dtype) for name, one in ours.items()}


def _by_tag(ours: _Tensors, theirs: _Tensors, tags: Sequence[str], their_tags: Sequence[str]) -> _Tensors:
    """Their rows in our order of tags; a tag that they lack has our row.

    Embedded are tags, then the closing tag and characters; moves that do not open a tag stand before those that do.
    """
    shared = [tag for tag in tags if tag in their_tags]
    to, of = ([some.index(tag) for tag in shared] for some in (tags, their_tags))
    found = {name: theirs[name] for name in ours if name.startswith("definition")}
    found["added_rows"] = torch.cat((ours["added_rows"][: len(tags)], theirs["added_rows"][len(their_tags) :]))
    found["added_rows"][to] = theirs["added_rows"][of]
    for name in ("move_rows", "move_bias"):
        found[name] = torch.cat((theirs[name][:FIRST_OPEN], ours[name][FIRST_OPEN:]))
        found[name][FIRST_OPEN:][to] = theirs[name][FIRST_OPEN:][of]
    return found


if __name__ == "__main__":
    sys.exit(main())
