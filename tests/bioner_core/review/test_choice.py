"""Which items are chosen: near thresholds, disagreements, rare types, spread and repeatable."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bioner_core.documents import Document, Passage
from bioner_core.errors import ConfigurationError
from bioner_core.mentions import Mention
from bioner_core.review.choice import Choice, Reason, ReviewSettings, choose_items
from bioner_core.review.item import ReviewItem, ReviewUnit, review_items
from bioner_core.store.document_mentions import DocumentMentions

Wanted = tuple[str, str, str, float, bool]
"""Text, label set, type, selector score, accepted."""


def found(doc_id: str, text: str, *wanted: Wanted, title: str = "") -> DocumentMentions:
    """A document with mentions of its abstract."""
    source = doc_id.partition(":")[0]
    passages = (*([Passage("title", "", "en", title)] if title else []), Passage("abstract", "", "en", text))
    document = Document(doc_id, source, 1, "en", passages)
    index = len(passages) - 1
    mentions = tuple(
        Mention(
            mention_id=f"{doc_id}{number}",
            doc_id=doc_id,
            doc_version=1,
            passage_index=index,
            section="abstract",
            lang="en",
            sentence_index=0,
            start=text.index(words),
            end=text.index(words) + len(words),
            text=words,
            label_set=label_set,
            type=name,
            parent_id=None,
            depth=0,
            tag_score=1.0,
            selector_score=score,
            accepted=accepted,
        )
        for number, (words, label_set, name, score, accepted) in enumerate(wanted)
    )
    return DocumentMentions(document, mentions, "f00d")


def chosen(documents: Sequence[DocumentMentions], count: int, **changes: object) -> list[ReviewItem]:
    """What is chosen of these documents."""
    return choose_items(lambda: documents, ReviewSettings(count=count, **changes))  # type: ignore[arg-type]


SURE = [found(f"a:{n}", "Cells grow well.", ("Cells", "genia", "cell_type", 0.95, True)) for n in range(9)]
DOUBTFUL = found("a:doubt", "Rats grow well.", ("Rats", "genia", "cell_type", 0.41, True))
TURNED_DOWN = found("a:down", "Mice grow well.", ("Mice", "genia", "cell_type", 0.39, False))


def test_what_is_near_the_threshold_comes_first() -> None:
    """Catches a threshold of one half, which no type has, in place of that which the store shows."""
    items = chosen([*SURE, DOUBTFUL, TURNED_DOWN], 2)
    assert {one.document.doc_id for one in items} == {"a:doubt", "a:down"}
    assert {one.reason for one in items} == {Reason.NEAR}


def test_label_sets_that_disagree_are_chosen() -> None:
    """Catches types that share a tag, which mean the same, taken for a disagreement."""
    same = found("a:same", "Pain stays.", ("Pain", "bc5cdr", "Disease", 0.9, True), ("Pain", "cmeee", "dis", 0.9, True))
    other = found(
        "a:other", "Iron binds.", ("Iron", "bc5cdr", "Chemical", 0.9, True), ("Iron", "genia", "DNA", 0.9, True)
    )
    crossing = found("a:cross", "Iron ion binds.", ("Iron ion", "bc5cdr", "Chemical", 0.9, True),
                     ("ion binds", "genia", "protein", 0.9, True))  # fmt: skip
    for one, disagrees in ((same, False), (other, True), (crossing, True)):
        reasons = {item.reason for item in chosen([one], 1)}
        assert (Reason.DISAGREEMENT in reasons) is disagrees, one.document.doc_id


def test_a_type_that_shows_one_side_alone_has_the_threshold_of_the_others() -> None:
    """Catches a type that was never turned down, whose lowest score would pass for its threshold."""
    kept = found("a:kept", "DNA grows.", ("DNA", "genia", "DNA", 0.44, True))
    far = found("a:far", "RNA grows.", ("RNA", "genia", "RNA", 0.55, True))
    only = [one for one in chosen([DOUBTFUL, TURNED_DOWN, far, kept], 4) if one.reason == Reason.NEAR]
    assert [one.document.doc_id for one in only][-2:] == ["a:kept", "a:far"]


def test_rare_types_are_chosen() -> None:
    """Catches a choice in which the frequent type takes every place."""
    rare = found("a:rare", "RNA grows.", ("RNA", "genia", "RNA", 0.99, True))
    items = chosen([*SURE, DOUBTFUL, TURNED_DOWN, rare], 4)
    assert Reason.RARE in {one.reason for one in items if one.document.doc_id == "a:rare"}


def test_equal_seeds_choose_equally_and_sources_share() -> None:
    """Catches a choice that follows the order of the store, and one source that takes all places."""
    others = [found(f"b:{n}", "Cells grow well.", ("Cells", "genia", "cell_type", 0.95, True)) for n in range(9)]
    first = chosen([*SURE, *others], 6, seed=1)
    assert first == chosen([*reversed(others), *reversed(SURE)], 6, seed=1)
    assert [one.item_id for one in first] != [one.item_id for one in chosen([*SURE, *others], 6, seed=2)]
    assert {one.document.source for one in first} == {"a", "b"}
    drawn = chosen([*SURE, *others, found("c:1", "No mention.")], 19, choice=Choice.RANDOM)
    assert len(drawn) == 19
    assert {one.reason for one in drawn} == {Reason.RANDOM}


def test_items_have_their_own_offsets() -> None:
    """Catches offsets of a passage given for those of a sentence or a whole document."""
    document = found("a:1", "It is so. Rats grow well.", ("Rats", "genia", "x", 0.9, True), title="Of rats")
    items = [*review_items(document, ReviewUnit.SENTENCES), *review_items(document, ReviewUnit.DOCUMENTS)]
    assert [one.text for one in items] == [
        "Of rats", "It is so.", "Rats grow well.", "Of rats\n\nIt is so. Rats grow well.",
    ]  # fmt: skip
    assert len({one.item_id for one in items}) == 4
    for item in items:
        assert all(item.text[one.start : one.end] == one.text for one in item.mentions)
    assert [len(one.mentions) for one in items] == [0, 0, 1, 1]


def test_a_count_of_nothing_is_refused() -> None:
    """Catches an empty list of tasks that looks like a store without mentions."""
    with pytest.raises(ConfigurationError, match="--count"):
        ReviewSettings(count=0)


def passed(one: DocumentMentions, *changes: dict[str, object]) -> DocumentMentions:
    """The document with these changes to its mentions, as the document pass makes them."""
    pairs = zip(one.mentions, changes, strict=True)
    return replace(one, mentions=tuple(replace(mention, **change) for mention, change in pairs))  # type: ignore[arg-type]


def test_what_the_document_pass_decided_shows_no_threshold() -> None:
    """Catches what the document pass proposed, gave another type or spoke for, taken for choices of the selector.

    Each would move the threshold away from 0.4, so that the two doubtful documents do not come first.
    """
    repeat = passed(
        found("a:repeat", "Cats grow well.", ("Cats", "genia", "cell_type", 0.9, False)), {"origin": "repeat"}
    )
    retyped = passed(
        found(
            "a:retyped",
            "Dogs grow well.",
            ("Dogs", "genia", "cell_type", 0.92, False),
            ("Dogs", "genia", "organism", 0.92, True),
        ),
        {},
        {"origin": "repeat"},
    )
    spoken_for = found("a:spoken", "Pigs grow well.", ("Pigs", "genia", "cell_type", 0.05, True))
    store = [*SURE, DOUBTFUL, TURNED_DOWN, repeat, retyped, spoken_for]
    near = [one.document.doc_id for one in chosen(store, 20) if one.reason == Reason.NEAR]
    assert set(near[:2]) == {"a:doubt", "a:down"}
    assert not {"a:repeat", "a:retyped"} & {*near}


def test_proposals_alone_are_near_no_threshold() -> None:
    """Catches a curator's time spent on what the selector never saw."""
    alone = passed(
        found("a:alone", "Cats grow well.", ("Cats", "genia", "cell_type", 0.4, False)), {"origin": "abbreviation"}
    )
    items = chosen([*SURE, DOUBTFUL, TURNED_DOWN, alone], 20)
    assert "a:alone" not in {one.document.doc_id for one in items if one.reason == Reason.NEAR}
