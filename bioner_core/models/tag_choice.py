"""What a model's card says of the types of label sets: which tag marks each, and from which score on it is accepted.

A type has a tag of its own that was trained for it, or a free one.

A tag of its own stands for what its definitions said when it was trained. Under another definition the type is another
one, whatever it is called, and takes a free tag: free tags are trained under ever other definitions, so what they mark
is what the prompt says. Imports no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.labels.label_set import EntityType, LabelSet, load_label_set
from bioner_core.models.model_card import ModelCard, other_label_sets

FREE_TAG_COUNT = 24
"""The most types of one prompt that are not a model's own; also how many free tags training makes."""

MOST_ASKED = 6
"""Types that one prompt asks for at most, under a label set that the model was not trained on; each part is a pass.

Among many definitions a model that reads them finds less of each (docs/evaluation.md). No English corpus of training
has more types than six.
"""

_FREE = "#"


def free_tags(count: int = FREE_TAG_COUNT) -> tuple[str, ...]:
    """The names of free tags, which no type of a label set can have."""
    return tuple(f"{_FREE}{number}" for number in range(1, count + 1))


def is_free(tag: str) -> bool:
    """Whether this tag is a free one."""
    return tag.startswith(_FREE)


def definitions_of(one: EntityType) -> tuple[str, ...]:
    """What a tag may be said to stand for, in both languages."""
    return tuple(dict.fromkeys((one.definition_en, one.definition_zh)))


def meanings_of(label_sets: Sequence[LabelSet]) -> dict[str, list[str]]:
    """The definitions of every tag of some label sets, for the card of the model that is trained on them."""
    found: dict[str, list[str]] = {}
    for label_set in label_sets:
        for one in label_set.types:
            known = found.setdefault(one.tag, [])
            known.extend(words for words in definitions_of(one) if words not in known)
    return found


def asked_parts(label_set: LabelSet, card: ModelCard) -> tuple[LabelSet, ...]:
    """A label set as a model is asked about it: whole, or in parts of its types, in order, each a prompt of its own.

    A model is asked whole about what it was trained on, and so is one that does not read definitions.
    """
    count = -(-len(label_set.types) // MOST_ASKED)
    reads = any(map(is_free, card.tags))
    if not reads or (label_set.name in card.label_sets and not free_types(label_set, card)):
        return (label_set,)
    edges = [part * len(label_set.types) // count for part in range(count + 1)]
    return tuple(replace(label_set, types=label_set.types[start:end]) for start, end in pairwise(edges))


def chosen_tags(label_set: LabelSet, card: ModelCard) -> tuple[str, ...]:
    """The tag of each type, in order. A model without free tags has one for every type that it was trained for.

    Raises:
        ModelError: more types than the model has free tags for.
    """
    free = [tag for tag in card.tags if is_free(tag)]
    if not free:
        return tuple(one.tag for one in label_set.types)
    left = iter(free)
    tags = tuple(one.tag if is_own(one, card) else next(left, "") for one in label_set.types)
    if "" in tags:
        raise ModelError(
            f"label set {label_set.name!r}: more than {len(free)} of its types are not those that model {card.name!r} "
            "was trained for, and it has no more free tags: use two label sets"
        )
    return tags


def is_own(one: EntityType, card: ModelCard) -> bool:
    """Whether the model was trained for this type: for its tag, under one of its definitions."""
    return one.tag in card.tags and bool(set(definitions_of(one)) & set(card.meanings.get(one.tag, ())))


def free_types(label_set: LabelSet, card: ModelCard) -> tuple[str, ...]:
    """The names of the types that the model reads from the prompt alone, or composes where it has no free tags."""
    if not any(map(is_free, card.tags)):
        return tuple(one.name for one in label_set.types if one.tag not in card.tags)
    return tuple(one.name for one in label_set.types if not is_own(one, card))


def is_namesake(label_set: LabelSet, card: ModelCard) -> bool:
    """Whether it shares only its name with a label set that the model was trained on, and has types of its own.

    What was fitted for that label set, its opening bias and its thresholds, is not for this one then.
    """
    return label_set.name in card.label_sets and bool(free_types(label_set, card))


def opening_bias(label_set: LabelSet, card: ModelCard) -> float:
    """What is added to the logits of opening tags under this label set."""
    others = [card.open_bias.get(other_label_sets(language), 0.0) for language in label_set.languages]
    of_others = min(others, default=0.0)
    return of_others if is_namesake(label_set, card) else card.open_bias.get(label_set.name, of_others)


def own_label_sets(card: ModelCard) -> list[LabelSet]:
    """The label sets that a model was trained on, as far as they come with bioner: the words of its tags."""
    found = []
    for name in card.label_sets:
        try:
            found.append(load_label_set(name))
        except ConfigurationError:  # a label set of its trainer's own
            continue
    return found


def thresholds_of(card: ModelCard, label_sets: Sequence[LabelSet]) -> dict[str, float]:
    """The selector's thresholds for some label sets: `label set` or, in models that have them, `label set:type`.

    Raises:
        ModelError: a label set has more types of its own than the model has free tags.
    """
    found: dict[str, float] = {}
    for label_set in label_sets:
        if label_set.name in card.thresholds and not is_namesake(label_set, card):
            found[label_set.name] = card.thresholds[label_set.name]
        elif card.type_thresholds or card.common_threshold:
            for part in asked_parts(label_set, card):
                for one, tag in zip(part.types, chosen_tags(part, card), strict=True):
                    found[f"{label_set.name}:{one.name}"] = card.type_thresholds.get(tag, card.common_threshold)
    return found


def accepts(thresholds: Mapping[str, float], label_set: str, *, type_name: str, score: float) -> bool:
    """Whether the selector's probability is enough; what has no threshold takes every candidate."""
    return score >= thresholds.get(f"{label_set}:{type_name}", thresholds.get(label_set, 0.0))
