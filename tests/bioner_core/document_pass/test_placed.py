"""Where a mention that the document speaks for may lie among those of the decoder."""

import pytest

from bioner_core.document_pass.finish import finish_document
from bioner_core.document_pass.placed import Sentences
from tests.bioner_core.document_pass.document_samples import accepted, document, mention

AGAIN = ("Renal failure", "Disease", 0)


@pytest.mark.parametrize(
    ("text", "marked", "is_accepted"),
    [
        ("Renal failure. Then renal failure.", [AGAIN], True),
        # around one of another type, not around one of its own
        ("Renal failure. Then renal failure.", [AGAIN, ("renal", "Organ", 1)], True),
        ("Renal failure. Then renal failure.", [AGAIN, ("failure", "Event", 1)], True),
        ("Renal failure. Then renal failure.", [AGAIN, ("renal", "Disease", 1)], False),
        # inside one, at its beginning, at its end, in its middle
        ("Renal failure. Then renal failure stage.", [AGAIN, ("renal failure stage", "Stage", 0)], False),
        ("Renal failure. An acute renal failure.", [AGAIN, ("acute renal failure", "Stage", 0)], False),
        ("Renal failure. An acute renal failure stage.", [AGAIN, ("acute renal failure stage", "Stage", 0)], False),
        # across an edge
        ("Renal failure. Then renal failure stage.", [AGAIN, ("failure stage", "Stage", 0)], False),
        # in another sentence, and beside one that it touches
        ("Renal failure. Then renal failure. A stage.", [AGAIN, ("stage", "Stage", 0)], True),
        ("发热。有发热咳嗽。", [("发热", "Disease", 0), ("咳嗽", "Disease", 0)], True),
        ("发热。有咳嗽发热。", [("发热", "Disease", 0), ("咳嗽", "Disease", 0)], True),
    ],
)
def test_a_repeat_fits_between_the_accepted_mentions(
    text: str, marked: list[tuple[str, str, int]], is_accepted: bool
) -> None:
    """Catches nesting in one's own type, a mention inside another or across its edge, and neighbours that count as
    overlapping."""
    doc = document(text)
    mentions = [mention(doc, name, kind, nth=nth) for name, kind, nth in marked]
    assert any(origin == "repeat" for *_, origin in accepted(doc, *mentions, score=0.9)) == is_accepted


@pytest.mark.parametrize("short_first", [True, False])
def test_of_two_repeats_the_longer_is_accepted_and_the_other_kept(short_first: bool) -> None:
    """Catches `cancer` inside `breast cancer` that is taken because its name comes first in the document, and the
    longer one, or the one that does not fit, which is not even a candidate."""
    short, long = "Cancer one. A cancer two. ", "A breast cancer. Of breast cancer. "
    text = (short + long if short_first else long + short) + "The breast cancer."
    doc = document(text)
    at = 0 if short_first else 2  # the word alone, counted among all `cancer`
    marked = [mention(doc, "cancer", "Disease", nth=at + number) for number in range(2)]
    marked += [mention(doc, "breast cancer", "Disease", nth=number) for number in range(2)]
    found = finish_document(doc, marked, scorer=lambda facts: 0.9 if facts.name == "Cancer" else 0.6).mentions
    last = [(one.text, one.accepted, one.origin) for one in found if one.start >= text.index("The ")]
    assert last == [("breast cancer", True, "repeat"), ("cancer", False, "repeat")]


def test_what_lies_in_a_longer_accepted_mention_is_no_occurrence() -> None:
    """Catches a name whose score falls with each longer name that holds it, and rows for each of those."""
    doc = document("Cancer one. A cancer two. " + "The breast cancer. " * 6 + "Some cancer.")
    marked = [mention(doc, "Cancer", "Disease", nth=number) for number in range(2)]
    marked += [mention(doc, "breast cancer", "Disease", nth=number) for number in range(6)]
    told: list[tuple[str, int, int]] = []
    found = finish_document(
        doc, marked, scorer=lambda facts: (told.append((facts.name, facts.accepted, facts.occurrences)), 0.9)[1]
    ).mentions
    assert told == [("Cancer", 2, 3)]
    assert len(found) == 9


def test_a_turned_down_mention_is_in_nobodys_way() -> None:
    """Catches a candidate that the selector turned down and that keeps a repeat out."""
    doc = document("Renal failure. Then renal failure stage.")
    across = mention(doc, "failure stage", "Stage", accepted=False)
    assert len(accepted(doc, mention(doc, *AGAIN[:2]), across, score=0.9)) == 2


def test_a_short_form_takes_no_place_that_is_taken() -> None:
    """Catches two accepted mentions of one place, each of another type."""
    doc = document("Acute kidney failure (AKF) is bad.")
    found = accepted(doc, mention(doc, "Acute kidney failure", "Disease"), mention(doc, "AKF", "Gene"))
    assert {(text, kind) for text, _, kind, _ in found} == {("Acute kidney failure", "Disease"), ("AKF", "Gene")}


def test_a_span_is_in_the_sentence_that_holds_it_whole() -> None:
    """Catches a span over the end of a sentence that is given to one of its two."""
    sentences = Sentences(document("One two. Three four."))
    first, second = sentences.of(0, start=0, end=8), sentences.of(0, start=9, end=20)
    assert (first and first.text, second and second.text) == ("One two.", "Three four.")
    assert sentences.of(0, start=4, end=12) is None
