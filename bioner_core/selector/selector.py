"""The entity selector at work: a calibrated probability for every candidate of a decoded copy."""

from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bioner_core.errors import ModelError
from bioner_core.models.directory import SELECTOR_FILE
from bioner_core.models.loading import LoadedModel
from bioner_core.models.tag_choice import is_free
from bioner_core.selector.calibration import Calibration
from bioner_core.selector.contrastive import ContrastiveSpace


class Selector(nn.Module):
    """Similarity in the contrastive space, calibrated together with the tag score.

    `free` are the tag indices of free tags. What they mark differs from prompt to prompt, so they share one point of
    the space, that of an entity of whatever type, and are calibrated apart.
    """

    def __init__(self, state_size: int, tag_count: int, *, free: Collection[int] = ()) -> None:
        super().__init__()
        self.space = ContrastiveSpace(state_size, tag_count)
        self.calibration = Calibration()
        self.free = frozenset(free)
        if self.free:
            self.free_calibration = Calibration()

    def similarity(self, features: Tensor, tags: Sequence[int]) -> Tensor:
        """Similarity of each span to the type that it was tagged with.

        *Shape:* features (spans, 3 * hidden); tags: the tag index of each span -> (spans,).
        """
        chosen = torch.tensor(tags, dtype=torch.long, device=features.device)
        similarity: Tensor = self.space(features).gather(1, chosen.unsqueeze(1)).squeeze(1)
        return similarity

    def logits(self, features: Tensor, tags: Sequence[int], scores: Tensor) -> Tensor:
        """Calibrated logit that each candidate is right.

        *Shape:* features (spans, 3 * hidden); tags, scores (spans,) -> (spans,).
        """
        similarity = self.similarity(features, tags)
        found: Tensor = self.calibration(similarity, scores)
        if not self.free:
            return found
        is_free_tag = torch.tensor([tag in self.free for tag in tags], device=features.device)
        return torch.where(is_free_tag, self.free_calibration(similarity, scores), found)

    @torch.inference_mode()
    def probabilities(self, features: Tensor, tags: Sequence[int], tag_scores: Sequence[float]) -> list[float]:
        """Calibrated probability that each candidate is right; one number a span.

        *Shape:* features (spans, 3 * hidden); tags, tag_scores: one a span.
        """
        scores = torch.tensor(tag_scores, dtype=torch.float32, device=features.device)
        # One way back from a GPU, not one per number.
        found: list[float] = torch.sigmoid(self.logits(features, tags, scores)).tolist()
        return found


def new_selector(loaded: LoadedModel) -> Selector:
    """A selector of a model's size, not trained yet."""
    free = [index for index, tag in enumerate(loaded.card.tags) if is_free(tag)]
    return Selector(loaded.network.hidden_size, len(loaded.card.tags), free=free)


def save_selector(folder: Path, selector: Selector) -> None:
    """Write the selector's weights into a model directory."""
    save_file({name: value.contiguous() for name, value in selector.state_dict().items()}, folder / SELECTOR_FILE)


def load_selector(folder: Path, loaded: LoadedModel) -> Selector | None:
    """The selector of a model directory, or None when the model has none.

    Raises:
        ModelError: the file is damaged or belongs to another model.
    """
    path = folder / SELECTOR_FILE
    if not path.is_file():
        return None
    selector = new_selector(loaded)
    try:
        selector.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{path} is damaged or belongs to another model: {error}") from error
    return selector.to(loaded.device).eval().requires_grad_(False)
