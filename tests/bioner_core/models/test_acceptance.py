"""From which probability on a candidate counts, by label set or by type."""

from dataclasses import replace

from bioner_core.labels.label_set import load_label_set
from bioner_core.models.tag_choice import accepts, free_tags, meanings_of, thresholds_of
from tests.bioner_core.models.model_samples import CARD


def test_a_model_of_the_first_version_has_one_threshold_per_label_set() -> None:
    """Would catch the model that ships accepting everything."""
    found = thresholds_of(CARD, [load_label_set("genia"), load_label_set("bc5cdr")])
    assert found == {"genia": 0.25}
    assert accepts(found, "genia", "protein", score=0.25)
    assert not accepts(found, "genia", "protein", score=0.24)
    assert accepts(found, "bc5cdr", "Disease", score=0.0)


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
    assert not accepts(own, "bc5cdr", "Disease", score=0.59)
    other = replace(label_set, name="mine", types=tuple(replace(one, definition_en="x") for one in label_set.types))
    [disease] = [one for one in other.types if one.name == "Disease"]
    changed = replace(other, types=(replace(disease, definition_zh="y"),))
    assert thresholds_of(card, [changed]) == {"mine:Disease": 0.4}
