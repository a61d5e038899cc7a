"""A model that meets a label set it was not trained for."""

import torch

from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.mentions import Candidate
from bioner_core.models.extension import extend_model, find_unseen_tags
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.models.unseen_tags import composed_rows
from bioner_core.selector.selector import Selector, extend_selector
from bioner_core.tagging.moves import FIRST_OPEN
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.tiny_model import TYPES, tiny_model, tiny_vocabulary

TEXTS = ("IL-2 gene", "Activation of CD28 receptor", "肺病 和 x")


def loaded_model(*label_sets: str) -> LoadedModel:
    """A small random model that says it was trained on these label sets."""
    card = ModelCard("tiny", "tiny", "0", TagScheme.INLINE, "1", TYPES, "病肺", label_sets or ("of its own",))
    return LoadedModel(card, tiny_vocabulary(), tiny_model(1))


def label_set_of(name: str, *tags: str, shown: dict[str, str] | None = None) -> LabelSet:
    """A label set whose types are named after their tags."""
    names = {tag: (shown or {}).get(tag, tag) for tag in tags}
    return LabelSet(
        name,
        ("en",),
        False,
        "",
        tuple(EntityType(tag.upper(), tag, names[tag], names[tag], "", "") for tag in tags),
    )


def annotated(loaded: LoadedModel, label_set: LabelSet, selector: Selector | None = None) -> list[object]:
    """What the model finds in the texts, without scores, types by their tag."""
    annotator = ModelAnnotator(
        loaded, [label_set], fingerprint="f", decoder=ReferenceDecoder(loaded.network), selector=selector
    )
    results = annotator.annotate([AnnotationRequest(text, label_set.name) for text in TEXTS])
    order = {one.name: index for index, one in enumerate(label_set.types)}
    return [
        [(one.start, one.end, order[one.type]) for one in found if isinstance(one, Candidate)]
        for found in results
        if isinstance(found, tuple)
    ]


def test_a_trained_label_set_is_not_touched_by_new_tags() -> None:
    """Catches rows that move with the ids: closing tag and characters stand behind the tags."""
    known = label_set_of("known", *TYPES)
    before = annotated(loaded_model(), known)
    loaded = loaded_model()
    unseen = find_unseen_tags(loaded, [known, label_set_of("new", "delta", "epsilon")])
    assert unseen.tags == ("delta", "epsilon")
    assert annotated(extend_model(loaded, unseen), known) == before
    assert any(before), "the model never tags: the test is blind"


def test_an_unseen_tag_of_the_same_words_finds_what_its_twin_finds() -> None:
    """Catches composed rows that are not those of the nearest tag, for the embedding, the opening row or the bias."""
    twins = {"new_one": "beta", "new_two": "gamma"}
    theirs = label_set_of("theirs", "beta", "gamma")
    mine = label_set_of("mine", *twins, shown=twins)
    loaded = loaded_model()
    unseen = find_unseen_tags(loaded, [mine])
    assert unseen.weights.argmax(dim=1).tolist() == [TYPES.index(tag) for tag in twins.values()]
    exact = torch.nn.functional.one_hot(unseen.weights.argmax(dim=1), len(TYPES)).float()
    grown = extend_model(loaded, type(unseen)(unseen.tags, exact))
    assert annotated(grown, mine) == annotated(loaded_model(), theirs)


def test_rows_stand_where_the_vocabulary_says() -> None:
    """Catches a new tag whose opening row or embedding is that of another id."""
    loaded = loaded_model()
    added, opening = loaded.network.added_rows.clone(), loaded.network.move_rows.clone()
    unseen = find_unseen_tags(loaded, [label_set_of("new", "delta")])
    grown = extend_model(loaded, unseen)
    place = grown.vocabulary.open_id("delta") - grown.vocabulary.base_size
    assert torch.equal(grown.network.added_rows[place], composed_rows(added[: len(TYPES)], unseen.weights)[0])
    index = grown.vocabulary.tags.index("delta")
    expected = composed_rows(opening[FIRST_OPEN:], unseen.weights)[0]
    assert torch.equal(grown.network.move_rows[FIRST_OPEN + index], expected)
    assert len(grown.network.added_rows) == grown.vocabulary.added_size
    assert not grown.network.added_rows.requires_grad


def test_a_trained_tag_means_what_its_label_sets_say() -> None:
    """Catches trained tags that are known by their token names alone: `protein` is 蛋白质 to who trained it."""
    card = ModelCard("t", "t", "0", TagScheme.INLINE, "1", TYPES, "病肺", ("genia",))
    loaded = LoadedModel(card, tiny_vocabulary(), tiny_model(1))
    loaded.vocabulary.tags = ("DNA", "RNA", "protein")
    only_chinese = EntityType("P", "p", "蛋白质", "蛋白质", "", "")
    unseen = find_unseen_tags(loaded, [LabelSet("mine", ("zh",), False, "", (only_chinese,))])
    assert unseen.weights[0].argmax() == 2


def test_nothing_unseen_asks_for_nothing() -> None:
    """Catches a known label set that costs a pass over the embedding table, or a tag that is added twice."""
    loaded = loaded_model()
    assert find_unseen_tags(loaded, [label_set_of("known", *TYPES)]).tags == ()
    twice = [label_set_of("one", "delta", "alpha"), label_set_of("two", "delta")]
    assert find_unseen_tags(loaded, twice).tags == ("delta",)


def test_the_selector_grows_with_the_model() -> None:
    """Catches a selector that has no row for an unseen tag, or whose trained types changed."""
    loaded = loaded_model()
    mine = label_set_of("mine", "delta", "alpha")
    unseen = find_unseen_tags(loaded, [mine])
    selector = Selector(loaded.network.hidden_size, len(TYPES)).eval().requires_grad_(False)
    types = selector.space.types.clone()
    extend_selector(selector, unseen.weights)
    assert torch.equal(selector.space.types[: len(TYPES)], types)
    assert annotated(extend_model(loaded, unseen), mine, selector) is not None
