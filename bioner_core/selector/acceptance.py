"""From which probability on a candidate counts: what a model's card says, and how it is asked. Imports no torch."""

from collections.abc import Mapping, Sequence

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.model_card import ModelCard
from bioner_core.models.tag_choice import chosen_tags


def thresholds_of(card: ModelCard, label_sets: Sequence[LabelSet]) -> dict[str, float]:
    """The selector's thresholds for some label sets: `label set` or, in models that have them, `label set:type`.

    Raises:
        ModelError: a label set has more types of its own than the model has free tags.
    """
    found: dict[str, float] = {}
    for label_set in label_sets:
        if label_set.name in card.thresholds:
            found[label_set.name] = card.thresholds[label_set.name]
        elif card.type_thresholds or card.common_threshold:
            for one, tag in zip(label_set.types, chosen_tags(label_set, card), strict=True):
                found[f"{label_set.name}:{one.name}"] = card.threshold(label_set.name, tag)
    return found


def accepts(thresholds: Mapping[str, float], label_set: str, type_name: str, *, score: float) -> bool:
    """Whether the selector's probability is enough; what has no threshold takes every candidate."""
    return score >= thresholds.get(f"{label_set}:{type_name}", thresholds.get(label_set, 0.0))
