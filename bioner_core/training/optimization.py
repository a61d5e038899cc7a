"""How weights move: float32 masters, the optimizer's groups, the learning rate over the run."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bioner_core.models.tagging_model import TaggingModel
from bioner_core.training.settings import SftSettings


class MasterWeights:
    """Float32 copies of bfloat16 parameters, which the optimizer updates: bfloat16 alone would lose small steps."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self.masters = [nn.Parameter(value.detach().float().clone()) for value in parameters]

    def take_gradients(self) -> None:
        """Move the gradients of the parameters to their masters, added to what is there already."""
        for master, value in zip(self.masters, self._parameters, strict=True):
            if value.grad is not None:
                # Invariant: gradients are summed in float32: a sum of many batches in bfloat16 would lose the small
                # ones.
                fresh = value.grad.float()
                master.grad = fresh if master.grad is None else master.grad + fresh
                value.grad = None

    def give_back(self) -> None:
        """Round the masters into the parameters."""
        with torch.no_grad():
            for master, value in zip(self.masters, self._parameters, strict=True):
                value.copy_(master)


def make_optimizer(model: TaggingModel, masters: Sequence[Tensor], *, settings: SftSettings) -> torch.optim.Optimizer:
    """AdamW without weight decay; each kind of weights has a peak rate of its own (`peak`)."""
    groups = [
        {"params": list(masters), "peak": settings.learning_rate},
        {"params": [model.added_rows], "peak": settings.learning_rate * settings.added_rows_rate},
        {"params": [model.move_rows, model.move_bias], "peak": settings.learning_rate * settings.move_rows_rate},
        {"params": [model.definition_keys, model.definition_queries], "peak": settings.learning_rate},
    ]
    # On a GPU one kernel moves all weights of a group: hundreds of small ones would take longer than the step.
    options = {"fused": True} if model.move_rows.is_cuda else {}
    return torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=0.0, betas=(0.9, 0.98), **options)


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set each group's learning rate to its peak times the factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def trained_tensors(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Everything that the optimizer updates, group after group."""
    return [value for group in optimizer.param_groups for value in group["params"]]


def rate_factor(share_done: float, settings: SftSettings) -> float:
    """The learning rate's factor: linear warm-up, then a cosine down to `final_rate`."""
    if share_done < settings.warmup_share:
        return max(share_done / settings.warmup_share, 0.02)
    rest = (share_done - settings.warmup_share) / (1 - settings.warmup_share)
    return settings.final_rate + (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))
