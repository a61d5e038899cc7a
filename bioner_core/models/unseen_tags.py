"""Rows for tags that a model was never trained for, composed from those that it was: label sets without training.

An unseen tag takes a mix of the trained tags' rows, each weighted by how near its meaning is: by the cosine between
mean embedding rows of their words, names and definitions each with their like, in either language. The mix is the same
for the row that embeds the tag, for the row and bias that open it, and for the selector's row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE = 0.05
"""Of the softmax over similarities. A mix of several rows opens less often than each of them: keep near the nearest."""

PART_WEIGHTS = (1.0, 1.0, 0.5, 0.5)
"""What the English and the Chinese name and the English and the Chinese definition count for."""


@dataclass(frozen=True, slots=True)
class TagMeaning:
    """A tag and the token ids of its words, one sequence for each of `PART_WEIGHTS`, empty where there are none."""

    tag: str
    parts: tuple[tuple[int, ...], ...]


def mixing_weights(trained: Sequence[TagMeaning], unseen: Sequence[TagMeaning], *, table: Tensor) -> Tensor:
    """How much of each trained tag goes into each unseen one; not negative, each row sums to 1.

    A part that one of two tags lacks counts as unlike, 0. Token ids are indices into the table.

    *Shape:* table (ids, hidden) -> (unseen, trained), float32.
    """
    similarity = torch.zeros(len(unseen), len(trained))
    total = torch.zeros(len(unseen), 1)
    for part, weight in enumerate(PART_WEIGHTS):
        known, is_known = _means([one.parts[part] for one in trained], table)
        wanted, is_wanted = _means([one.parts[part] for one in unseen], table)
        # What all tags have in common says nothing about which is near; one alone has nothing in common with others.
        count = is_known.sum().clamp(min=1)
        centre = known.sum(dim=0) / count * (1 - 1 / count)
        cosine = functional.normalize(wanted - centre, dim=-1) @ functional.normalize(known - centre, dim=-1).T
        similarity += weight * cosine * is_wanted.unsqueeze(1) * is_known.unsqueeze(0)
        total += weight * is_wanted.unsqueeze(1)
    return torch.softmax(similarity / total.clamp(min=min(PART_WEIGHTS)) / TEMPERATURE, dim=-1)


def composed_rows(rows: Tensor, weights: Tensor) -> Tensor:
    """The rows of unseen tags from those of the trained ones, in the number format of `rows`.

    *Shape:* rows (trained, ...); weights (unseen, trained) -> (unseen, ...).
    """
    mixed: Tensor = torch.tensordot(weights.to(rows.device), rows.float(), dims=1)
    return mixed.to(rows.dtype)


def _means(parts: Sequence[Sequence[int]], table: Tensor) -> tuple[Tensor, Tensor]:
    """The mean row of each part, zero where it is empty, and 1 or 0 for whether it has words.

    *Shape:* -> (parts, hidden), (parts,).
    """
    empty = torch.zeros(table.shape[1])
    means = [table[list(ids)].float().mean(dim=0).cpu() if ids else empty for ids in parts]
    return torch.stack(means) if means else table[:0].float().cpu(), torch.tensor([float(bool(ids)) for ids in parts])
