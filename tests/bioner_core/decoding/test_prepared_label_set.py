"""Label sets in the tokens of a model."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from bioner_core.decoding.prepared_label_set import PreparedLabelSet, prepare_label_set, prepare_parts
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.model_card import ModelCard
from bioner_core.models.tag_choice import free_tags, meanings_of
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.tiny_model import TYPES, ByteTokenizer, tiny_vocabulary

GAMMA_AND_ALPHA = LabelSet(
    "two",
    ("en",),
    default=False,
    description="",
    types=(
        EntityType("G", tag="gamma", en="gees", zh="", definition_en="all gees", definition_zh=""),
        EntityType("A", tag="alpha", en="ays", zh="", definition_en="all ays", definition_zh=""),
    ),
)


def prepared(
    scheme: TagScheme, label_set: LabelSet = GAMMA_AND_ALPHA, *, biases: dict[str, float] | None = None
) -> PreparedLabelSet:
    """The label set in the tokens of a model that knows three tags, with a bias for the set `two` alone."""
    card = ModelCard("tiny", "base", "", scheme, "1", TYPES, "", ("two",), open_bias={"two": 0.75, **(biases or {})})
    return prepare_label_set(label_set, SimpleNamespace(vocabulary=tiny_vocabulary(), card=card))  # type: ignore[arg-type]


def test_types_are_marked_by_their_tags() -> None:
    """Would catch the tags of a label set in the order of the model, or a type's name taken for its tag."""
    vocabulary, tokens = tiny_vocabulary(), prepared(TagScheme.INLINE).tokens
    assert (tokens.name, tokens.open_rows) == ("two", (2, 0))
    assert tokens.open_ids == (vocabulary.open_id("gamma"), vocabulary.open_id("alpha"))
    assert tokens.close_id == vocabulary.close_id
    introduced = [one for one in tokens.prefix if one in tokens.open_ids]
    assert introduced == list(tokens.open_ids)


def test_one_copy_has_all_types_or_each_has_one() -> None:
    """Would catch a scheme that is not the model's: lines where it learnt one copy, or the reverse."""
    inline, lines = prepared(TagScheme.INLINE), prepared(TagScheme.LINES)
    assert (inline.line_types, len(inline.separators)) == (((0, 1),), 1)
    assert (lines.line_types, len(lines.separators)) == (((0,), (1,)), 2)
    assert lines.separators == tuple(tuple(tiny_vocabulary().plain_ids(f"\n{one}: ")) for one in ("gees", "ays"))
    assert inline.label_set == GAMMA_AND_ALPHA


def test_the_opening_bias_is_that_of_the_label_set() -> None:
    """Would catch a bias of one label set that is used for another, or for none, and that of all others for its own."""
    other = dataclasses.replace(GAMMA_AND_ALPHA, name="other")
    of_others = {"*:en": 1.5, "*:zh": 0.5}
    assert prepared(TagScheme.INLINE, other, biases=of_others).tokens.open_bias == 1.5
    chinese, both = (dataclasses.replace(other, languages=languages) for languages in (("zh",), ("en", "zh")))
    assert prepared(TagScheme.INLINE, chinese, biases=of_others).tokens.open_bias == 0.5
    assert prepared(TagScheme.INLINE, both, biases=of_others).tokens.open_bias == 0.5
    assert prepared(TagScheme.INLINE, dataclasses.replace(other, languages=()), biases=of_others).tokens.open_bias == 0
    assert prepared(TagScheme.INLINE, biases=of_others).tokens.open_bias == pytest.approx(0.75)
    assert prepared(TagScheme.INLINE).tokens.open_bias == pytest.approx(0.75)
    assert prepared(TagScheme.INLINE, other).tokens.open_bias == 0.0


def test_the_parts_of_a_namesake_have_the_bias_of_the_whole() -> None:
    """Would catch a part of trained types alone that is opened as the label set of that name, and the rest not."""
    own = tuple(EntityType(one, one, one, one, f"all {one}", f"all {one}") for one in TYPES)
    trained = LabelSet("two", ("en",), default=False, description="", types=own)
    others = tuple(EntityType(f"n{at}", f"n{at}", f"n{at}", f"n{at}", f"some {at}", f"some {at}") for at in range(4))
    vocabulary = TaggingVocabulary(ByteTokenizer(), base_size=256, tags=(*TYPES, *free_tags()), characters="")
    card = ModelCard("tiny", "base", "", TagScheme.INLINE, "2", vocabulary.tags, "", ("two",))
    card = dataclasses.replace(card, open_bias={"two": 0.75, "*:en": 0.25}, meanings=meanings_of([trained]))
    loaded: Any = SimpleNamespace(vocabulary=vocabulary, card=card)
    assert [one.tokens.open_bias for one in prepare_parts(trained, loaded)] == [0.75]
    first, second = prepare_parts(dataclasses.replace(trained, types=(*own, *others)), loaded)
    assert (first.label_set.type_names, second.label_set.type_names) == (TYPES, ("n0", "n1", "n2", "n3"))
    assert (first.tokens.open_bias, second.tokens.open_bias) == (0.25, 0.25)
