"""A loaded model extended by the tags of label sets that it was not trained for (`unseen_tags` says how)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.loading import LoadedModel
from bioner_core.models.tag_choice import own_label_sets
from bioner_core.models.unseen_tags import PART_WEIGHTS, TagMeaning, composed_rows, mixing_weights
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import FIRST_OPEN


@dataclass(frozen=True, slots=True)
class UnseenTags:
    """The tags to be added to a model, in order, and what each is made of.

    *Shape:* weights (tags, trained tags), each row sums to 1.
    """

    tags: tuple[str, ...]
    weights: Tensor


def find_unseen_tags(loaded: LoadedModel, label_sets: Sequence[LabelSet]) -> UnseenTags:
    """The tags of the label sets that the model has no rows for, in the order of their first type; maybe none.

    A tag's words are those of all types that bear it; for trained tags, in the model's own label sets as far as they
    come with bioner, else the words of the tag itself.
    """
    vocabulary, trained = loaded.vocabulary, _types_by_tag(own_label_sets(loaded.card))
    wanted = {tag: types for tag, types in _types_by_tag(label_sets).items() if tag not in vocabulary.tags}
    if not wanted:
        return UnseenTags((), torch.zeros(0, len(vocabulary.tags)))
    weights = mixing_weights(
        [_meaning(tag, trained.get(tag, ()), vocabulary) for tag in vocabulary.tags],
        [_meaning(tag, types, vocabulary) for tag, types in wanted.items()],
        table=_embedding_table(loaded),
    )
    return UnseenTags(tuple(wanted), weights)


def extend_model(loaded: LoadedModel, unseen: UnseenTags) -> LoadedModel:
    """The model with a row more for each unseen tag, behind the trained ones; its network is changed in place.

    Trained tags, the closing tag and added characters keep their rows, though not their ids.
    """
    old, network, count = loaded.vocabulary, loaded.network, len(loaded.vocabulary.tags)
    vocabulary = TaggingVocabulary(
        old.tokenizer, base_size=old.base_size, tags=(*old.tags, *unseen.tags), characters=old.characters
    )
    added, opening, bias = network.added_rows.data, network.move_rows.data, network.move_bias.data
    grown = {
        "added_rows": (added[:count], composed_rows(added[:count], unseen.weights), added[count:]),
        "move_rows": (opening, composed_rows(opening[FIRST_OPEN:], unseen.weights)),
        "move_bias": (bias, composed_rows(bias[FIRST_OPEN:], unseen.weights)),
    }
    for name, parts in grown.items():
        setattr(network, name, nn.Parameter(torch.cat(parts), requires_grad=False))
    return replace(loaded, vocabulary=vocabulary)


def _types_by_tag(label_sets: Sequence[LabelSet]) -> dict[str, list[EntityType]]:
    found: defaultdict[str, list[EntityType]] = defaultdict(list)
    for label_set in label_sets:
        for one in label_set.types:
            found[one.tag].append(one)
    return dict(found)


def _english(english: str, chinese: str) -> str:
    """A text given in one language alone stands in both fields: its script says which it is."""
    return english if english != chinese or english.isascii() else ""


def _chinese(english: str, chinese: str) -> str:
    return chinese if english != chinese or not chinese.isascii() else ""


_PARTS: tuple[Callable[[EntityType], str], ...] = (
    lambda one: _english(one.en, one.zh),
    lambda one: _chinese(one.en, one.zh),
    lambda one: _english(one.definition_en, one.definition_zh),
    lambda one: _chinese(one.definition_en, one.definition_zh),
)


def _meaning(tag: str, types: Sequence[EntityType], vocabulary: TaggingVocabulary) -> TagMeaning:
    def ids(text: str) -> list[int]:
        return [token for unit in vocabulary.unit_ids(f" {text}") for token in unit] if text else []

    if not types:
        empty: tuple[int, ...] = ()
        return TagMeaning(tag, (tuple(ids(tag.replace("_", " "))), *([empty] * (len(PART_WEIGHTS) - 1))))
    return TagMeaning(tag, tuple(tuple(token for one in types for token in ids(part(one))) for part in _PARTS))


def _embedding_table(loaded: LoadedModel) -> Tensor:
    """The row of every token id. *Shape:* -> (ids, hidden)."""
    network = loaded.network
    every = torch.arange(network.base_size + len(network.added_rows), device=loaded.device)
    with torch.inference_mode():
        return network.embed(every.unsqueeze(0)).squeeze(0)
