"""From which probability on a candidate counts, by label set or by type."""

from dataclasses import replace

from bioner_core.labels.label_set import load_label_set
from bioner_core.models.directory import bundled_models, model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.tag_choice import (
    MOST_ASKED,
    accepts,
    asked_parts,
    free_tags,
    meanings_of,
    opening_bias,
    thresholds_of,
)
from tests.bioner_core.models.model_samples import CARD


def test_a_model_of_the_first_version_has_one_threshold_per_label_set() -> None:
    """Would catch the model that ships accepting everything."""
    genia = load_label_set("genia")
    card = replace(CARD, tags=tuple(one.tag for one in genia.types))
    found = thresholds_of(card, [genia, load_label_set("bc5cdr")])
    assert found == {"genia": 0.25}
    assert accepts(found, "genia", type_name="protein", score=0.25)
    assert not accepts(found, "genia", type_name="protein", score=0.24)
    assert accepts(found, "bc5cdr", type_name="Disease", score=0.0)


def test_types_have_their_own_and_others_the_common_one() -> None:
    """Would catch types under free tags, which no corpus marked, that are all accepted."""
    label_set = load_label_set("bc5cdr")
    card = replace(
        CARD,
        thresholds={},
        type_thresholds={"disease": 0.6},
        common_threshold=0.4,
        tags=("disease", "chemical", *free_tags()),
        meanings=meanings_of([label_set]),
    )
    own = thresholds_of(card, [label_set])
    assert own == {"bc5cdr:Disease": 0.6, "bc5cdr:Chemical": 0.4}
    assert not accepts(own, "bc5cdr", type_name="Disease", score=0.59)
    other = replace(label_set, name="mine", types=tuple(replace(one, definition_en="x") for one in label_set.types))
    [disease] = [one for one in other.types if one.name == "Disease"]
    changed = replace(other, types=(replace(disease, definition_zh="y"),))
    assert thresholds_of(card, [changed]) == {"mine:Disease": 0.4}


def test_what_a_model_was_trained_on_is_asked_whole_and_other_long_label_sets_in_parts() -> None:
    """Would catch CMeEE's nine types cut apart, CRAFT's eleven in one prompt, or a part larger than the others."""
    cmeee, craft = load_label_set("cmeee"), load_label_set("craft")
    card = replace(
        CARD,
        tags=(*(one.tag for one in cmeee.types), *free_tags()),
        meanings=meanings_of([cmeee]),
        label_sets=("cmeee",),
    )
    assert asked_parts(cmeee, card) == (cmeee,)
    parts = asked_parts(craft, card)
    assert sum((one.type_names for one in parts), ()) == craft.type_names
    assert {one.name for one in parts} == {"craft"}
    sizes = [len(one.types) for one in parts]
    assert max(sizes) <= MOST_ASKED
    assert max(sizes) - min(sizes) <= 1
    assert asked_parts(craft, CARD) == (craft,), "a model that does not read definitions"
    same_name = replace(craft, name="cmeee")
    assert len(asked_parts(same_name, card)) > 1
    few = craft.restricted_to(craft.type_names[:MOST_ASKED])
    assert asked_parts(few, card) == (few,)


def test_every_type_of_a_long_label_set_has_a_threshold() -> None:
    """Would catch a label set of more types than a model has free tags, which is asked about in parts, refused."""
    craft = load_label_set("craft")
    types = tuple(replace(one, name=f"t{at}", tag=f"t{at}") for at, one in enumerate(craft.types * 3))
    long = replace(craft, types=types)
    card = replace(CARD, thresholds={}, tags=free_tags(), common_threshold=0.4)
    assert thresholds_of(card, [long]) == {f"craft:t{at}": 0.4 for at in range(33)}


def test_a_namesake_of_a_trained_label_set_gets_nothing_that_was_fitted_for_it() -> None:
    """Would catch a user's label set that is opened and turned down as one of a model's, for its name alone."""
    genia = load_label_set("genia")
    namesake = replace(genia, types=tuple(replace(one, tag=f"my {one.tag}") for one in genia.types))
    card = replace(CARD, tags=tuple(one.tag for one in genia.types), open_bias={"genia": 0.75, "*:en": 0.25})
    assert (opening_bias(genia, card), thresholds_of(card, [genia])) == (0.75, {"genia": 0.25})
    assert (opening_bias(namesake, card), thresholds_of(card, [namesake])) == (0.25, {})
    reading = replace(card, tags=(*card.tags, *free_tags()), meanings=meanings_of([genia]), common_threshold=0.4)
    redefined = replace(genia, types=tuple(replace(one, definition_en="x", definition_zh="x") for one in genia.types))
    assert opening_bias(genia, reading) == 0.75
    assert opening_bias(redefined, reading) == 0.25
    assert set(thresholds_of(reading, [redefined]).values()) == {0.4}
    named = replace(genia, name="mine")
    assert opening_bias(named, reading) == 0.25
    assert opening_bias(genia, replace(reading, label_sets=("other",))) == 0.75, (
        "fitted by name, and nothing to compare"
    )


def test_label_sets_that_ship_keep_what_the_shipped_models_were_fitted_with() -> None:
    """Would catch a label set of ours taken for a namesake, after a definition was corrected in one place alone."""
    for model in bundled_models():
        card = read_card(model_folder(model))
        biases = {name: opening_bias(load_label_set(name), card) for name in card.label_sets}
        assert biases == {name: card.open_bias[name] for name in card.label_sets}
