"""Make a model of prompt version 1 one that reads definitions, so that training can go on from what it knows.

    python -m devtools.read_definitions smollm2 runs/reading

The adapter stays. Free tags and the matrices that compare states with definitions are added, untrained. The model that
is written is no better than its source, and in a new prompt at first worse: it is a `start_model` for `train sft`.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from bioner_core.errors import EXIT_FAILED, BionerError, ModelError
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE, model_folder
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.model_files import write_tensors
from bioner_core.models.prompt import FIRST_PROMPT_VERSION, PROMPT_VERSION, described_types, prompt_tokens
from bioner_core.models.tag_choice import free_tags, meanings_of
from bioner_core.tagging.scheme import copy_lines
from jobs.terminal.console import say_error

_RANK = 128
_SPREAD = 0.02
"""As `training/trainable.py` begins the rows of moves."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the model that reads definitions; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="model directory, or the name of a model that ships")
    parser.add_argument("output", type=Path, help="folder that is made")
    parser.add_argument("--label-set", action="append", help="one it was trained for; default: those its card names")
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args(arguments)
    try:
        folder = model_folder(given.model)
        label_sets = [load_label_set(one) for one in given.label_set or read_card(folder).label_sets]
        length = read_definitions(folder, given.output, label_sets=label_sets, seed=given.seed)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    print(f"{given.output}: rows of its moves multiplied by {length:.3f}, the length of its states")
    return 0


def read_definitions(folder: Path, output: Path, *, label_sets: Sequence[LabelSet], seed: int = 13) -> float:
    """Write the model of `folder` as one that reads definitions; gives the root mean square of its states.

    `label_sets` are those that it was trained for: their definitions become what its tags mean.

    Raises:
        ModelError: it reads definitions already.
    """
    torch.manual_seed(seed)
    loaded = load_model(folder, device="cpu", precision="float32")
    card, network = loaded.card, loaded.network
    if card.prompt_version != FIRST_PROMPT_VERSION:
        raise ModelError(f"{folder} is of prompt version {card.prompt_version}: it reads definitions already")
    length = _state_length(loaded, label_sets)
    hidden, free = network.hidden_size, free_tags()
    tag_count = len(card.tags)
    rows = {
        "added_rows": torch.cat(
            (network.added_rows[:tag_count], _named_rows(loaded, free), network.added_rows[tag_count:])
        ),
        # Models that read definitions score states of length 1.
        "move_rows": torch.cat((network.move_rows * length, torch.randn(len(free), hidden) * _SPREAD)),
        "move_bias": torch.cat((network.move_bias, torch.zeros(len(free)))),
        "definition_keys": torch.randn(_RANK, hidden) * hidden**-0.5,
        "definition_queries": torch.zeros(_RANK, hidden),
    }
    output.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / ADAPTER_FOLDER, output / ADAPTER_FOLDER, dirs_exist_ok=True)
    write_tensors(output / ROWS_FILE, {name: one.detach().half() for name, one in rows.items()})
    made = replace(
        card,
        prompt_version=PROMPT_VERSION,
        tags=(*card.tags, *free),
        thresholds={},
        type_thresholds={},
        common_threshold=0.0,
        open_bias={},
        tag_thresholds={},
        meanings=meanings_of(label_sets),
        definition_rank=_RANK,
    )
    write_card(made, output)
    return length


def _state_length(loaded: LoadedModel, label_sets: Sequence[LabelSet]) -> float:
    """The root mean square of the states that the model's own prompts give, the mean over them."""
    lengths = []
    for label_set in label_sets:
        tags = [one.tag for one in label_set.types]
        types = described_types(label_set, tags, version=FIRST_PROMPT_VERSION)
        lines = copy_lines(loaded.card.scheme, len(types))
        prompt = prompt_tokens(
            types, lines, vocabulary=loaded.vocabulary, scheme=loaded.card.scheme, version=FIRST_PROMPT_VERSION
        )
        ids = torch.tensor([prompt.prefix])
        with torch.no_grad():
            states = loaded.network(
                ids,
                attention_mask=torch.ones_like(ids),
                position_ids=torch.arange(ids.shape[1]).unsqueeze(0),
                cache=None,
            )
        lengths.append(states[0, 1:].square().mean(dim=-1).sqrt().mean())
    return float(torch.stack(lengths).mean())


def _named_rows(loaded: LoadedModel, tags: Sequence[str]) -> Tensor:
    """The row that each tag starts with: the mean of its name's."""
    with torch.no_grad():
        return torch.stack(
            [
                loaded.network.embed(torch.tensor([loaded.vocabulary.plain_ids(f" {tag}")])).mean(dim=1)[0]
                for tag in tags
            ]
        )


if __name__ == "__main__":
    sys.exit(main())
