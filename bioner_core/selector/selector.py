"""The entity selector at work: a calibrated probability for every candidate of a decoded copy.

It sees hidden states that the decoder has computed anyway, and puts spans and types in one space, a span near the type
that it is; types that it was not trained for are composed of those that it was.
"""

import itertools
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.errors import ModelError
from bioner_core.models.directory import SELECTOR_FILE, check_selector
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_files import write_tensors
from bioner_core.models.tag_choice import is_free
from bioner_core.models.unseen_tags import composed_rows
from bioner_core.selector.calibration import Calibration
from bioner_core.tagging.moves import TagPair

STATES_PER_SPAN = 3


def span_features(states: Tensor, pairs: Sequence[TagPair]) -> Tensor:
    """States after the opening tag, after the last unit of the span, and after the closing tag, side by side.

    *Shape:* states (moves + 1, hidden) -> (pairs, 3 * hidden), float32.
    """
    return features_of_rows([states], [pairs])


def features_of_rows(states: Sequence[Tensor], pairs: Sequence[Sequence[TagPair]]) -> Tensor:
    """The same for the spans of several rows, one row after another: a GPU is asked once for all of them.

    *Shape:* states (moves + 1, hidden) a row -> (pairs of all rows, 3 * hidden), float32.
    """
    starts = itertools.accumulate(map(len, states), initial=0)
    places = [
        (start + pair.open_index + 1, start + pair.close_index, start + pair.close_index + 1)
        for start, found in zip(starts, pairs, strict=False)
        for pair in found
    ]
    table = states[0] if len(states) == 1 else torch.cat(list(states))
    chosen = table[torch.tensor(places, dtype=torch.long, device=table.device).view(-1)]
    return chosen.view(len(places), STATES_PER_SPAN * table.shape[1]).float()


HIDDEN_SIZE = 256
SPACE_SIZE = 128


class ContrastiveSpace(nn.Module):
    """Encodes span features and types as unit vectors; their scaled cosine is the similarity."""

    def __init__(self, state_size: int, tag_count: int) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(STATES_PER_SPAN * state_size)
        self.inner = nn.Linear(STATES_PER_SPAN * state_size, HIDDEN_SIZE)
        self.outer = nn.Linear(HIDDEN_SIZE, SPACE_SIZE)
        self.types = nn.Parameter(torch.randn(tag_count, SPACE_SIZE))
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, features: Tensor) -> Tensor:
        """Similarity of every span to every type.

        *Shape:* features (spans, 3 * hidden) -> (spans, tags).
        """
        inner = functional.gelu(self.inner(self.normalise(features)))
        spans = functional.normalize(self.outer(inner), dim=-1)
        types = functional.normalize(self.types, dim=-1)
        similarity: Tensor = spans @ types.T * self.log_scale.exp()
        return similarity


def info_nce(similarity: Tensor, tag: Tensor, *, is_gold: Tensor, rivals: Tensor) -> Tensor:
    """InfoNCE in both directions, over the gold spans of a batch.

    Over types: a gold span against the other types of its label set. Over spans: a gold span against every span of the
    batch that was tagged with its type and is not gold.

    *Shape:* similarity (spans, tags); tag, is_gold (spans,); rivals (spans, tags), the tags of each span's label set.
    """
    over_types = functional.cross_entropy(
        similarity[is_gold].masked_fill(~rivals[is_gold], float("-inf")), tag[is_gold]
    )
    own = similarity.gather(1, tag.unsqueeze(1)).squeeze(1)
    wrong_of_type = (tag.unsqueeze(0) == tag[is_gold].unsqueeze(1)) & ~is_gold.unsqueeze(0)
    wrong = similarity[:, tag[is_gold]].T.masked_fill(~wrong_of_type, float("-inf"))
    over_spans = (torch.logsumexp(torch.cat((own[is_gold].unsqueeze(1), wrong), dim=1), dim=1) - own[is_gold]).mean()
    return over_types + over_spans


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

    def logits(self, features: Tensor, tags: Sequence[int], *, scores: Tensor) -> Tensor:
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
    def probabilities(self, features: Tensor, tags: Sequence[int], *, tag_scores: Sequence[float]) -> list[float]:
        """Calibrated probability that each candidate is right; one number per span.

        *Shape:* features (spans, 3 * hidden); tags, tag_scores: one per span.
        """
        scores = torch.tensor(tag_scores, dtype=torch.float32, device=features.device)
        # One way back from a GPU, not one per number.
        found: list[float] = torch.sigmoid(self.logits(features, tags, scores=scores)).tolist()
        return found


def new_selector(loaded: LoadedModel) -> Selector:
    """A selector of a model's size, not trained yet."""
    free = [index for index, tag in enumerate(loaded.card.tags) if is_free(tag)]
    return Selector(loaded.network.hidden_size, len(loaded.card.tags), free=free)


def save_selector(folder: Path, selector: Selector) -> None:
    """Write the selector's weights into a model directory."""
    write_tensors(folder / SELECTOR_FILE, selector.state_dict())


def load_selector(folder: Path, loaded: LoadedModel) -> Selector | None:
    """The selector of a model directory, or None when the model has none.

    Raises:
        ModelError: the file is damaged or belongs to another model, or is missing and the card has thresholds for it.
    """
    check_selector(folder, loaded.card)
    path = folder / SELECTOR_FILE
    if not path.is_file():
        return None
    selector = new_selector(loaded)
    try:
        selector.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{path} is damaged or belongs to another model: {error}") from error
    return selector.to(loaded.device).eval().requires_grad_(False)


def extend_selector(selector: Selector, weights: Tensor) -> None:
    """Give the selector a type more for each unseen tag, behind the trained ones, in place.

    *Shape:* weights (unseen, trained), as `find_unseen_tags` gives them.
    """
    types = selector.space.types.data
    selector.space.types = nn.Parameter(torch.cat((types, composed_rows(types, weights))), requires_grad=False)
