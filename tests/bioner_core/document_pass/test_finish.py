"""The finish pass over one document."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.document_pass.finish import finish_document
from bioner_core.document_pass.occurrences import occurrences
from bioner_core.document_pass.repeat_score import RepeatFacts
from bioner_core.documents import Document, Passage
from bioner_core.mentions import Mention
from bioner_core.store.mention_ids import place_suffix

Found = set[tuple[str, int, str, str | None]]


def document(*texts: str) -> Document:
    """A document of these passages."""
    return Document("s:1", "s", 1, "en", tuple(Passage("abstract", "", "en", text) for text in texts))


def mention(doc: Document, text: str, kind: str, *, nth: int = 0, accepted: bool = True, score: float = 0.9) -> Mention:
    """The nth occurrence of a text as the decoder gives it."""
    start, end = list(occurrences(text, doc.passages[0].text))[nth]
    suffix = place_suffix(0, start, end, label_set="set", type_name=kind)
    place = ("s:1@1" + suffix, "s:1", 1, 0, "abstract", "en", 0, start, end, doc.passages[0].text[start:end])
    return Mention(*place, "set", kind, None, 0, 5.0, score, accepted)


def accepted(doc: Document, *mentions: Mention, score: float = 0.0) -> Found:
    """What is accepted of a finished document; repeats have the score that is given."""
    found = finish_document(doc, mentions, scorer=lambda _: score).mentions
    return {(one.text, one.start, one.type, one.origin) for one in found if one.accepted}


def test_a_short_form_follows_its_long_form_everywhere() -> None:
    """Catches short forms that stay unmarked where the document defines them."""
    doc = document("Acute kidney failure (AKF) is bad. AKF kills.", "Of AKF we know.")
    found = accepted(doc, mention(doc, "Acute kidney failure", "Disease"))
    assert {(text, origin) for text, _, _, origin in found} == {
        ("Acute kidney failure", "decoder"),
        ("AKF", "abbreviation"),
    }
    assert len(found) == 4


def test_a_short_form_that_the_decoder_hardly_ever_marks_stays_a_candidate() -> None:
    """Catches a misread definition that is multiplied through a full text."""
    doc = document("Acute kidney failure (AKF) is bad. " + "AKF is here. " * 8)
    assert len(accepted(doc, mention(doc, "Acute kidney failure", "Disease"))) == 1
    marked = [mention(doc, "AKF", "Disease", nth=number) for number in range(4)]
    assert len(accepted(doc, mention(doc, "Acute kidney failure", "Disease"), *marked)) == 10


def test_repeats_are_scored_and_never_accepted_blindly() -> None:
    """Catches a repeat that is accepted without a score, and one that is lost instead of kept as a candidate."""
    doc = document("Aspirin helps. We gave aspirin. No aspirins.")
    first = mention(doc, "Aspirin", "Chemical")
    assert len(accepted(doc, first, score=0.2)) == 1
    assert ("aspirin", 23, "Chemical", "repeat") in accepted(doc, first, score=0.8)
    [turned_down] = [one for one in finish_document(doc, [first]).mentions if not one.accepted]
    assert (turned_down.start, turned_down.origin, 0 < turned_down.selector_score < 0.5) == (23, "repeat", True)


def test_the_scorer_is_told_what_the_document_shows() -> None:
    """Catches counts that do not fit the document."""
    doc = document("Aspirin, aspirin, aspirin and aspirin.")
    told: list[RepeatFacts] = []
    mentions = [mention(doc, "Aspirin", "Chemical", nth=0), mention(doc, "Aspirin", "Chemical", nth=1, score=0.5)]
    mentions.append(mention(doc, "Aspirin", "Chemical", nth=2, accepted=False))
    finish_document(doc, mentions, scorer=lambda facts: (told.append(facts), 0.0)[1])
    assert [(one.accepted, one.occurrences, one.turned_down) for one in told] == [(2, 4, True), (2, 4, False)]
    assert told[0].mean_score == 0.7


def test_one_name_has_one_type_where_most_agree() -> None:
    """Catches a stray type, and a vote that changes a document where nothing is clear."""
    doc = document("Sodium and sodium and sodium and sodium.")
    mentions = [mention(doc, "Sodium", "Chemical", nth=number) for number in range(3)]
    stray = mention(doc, "Sodium", "Disease", nth=3)
    assert {kind for _, _, kind, _ in accepted(doc, *mentions, stray)} == {"Chemical"}
    assert {kind for _, _, kind, _ in accepted(doc, mentions[0], stray)} == {"Chemical", "Disease"}


def test_nothing_new_crosses_or_lies_in_an_accepted_mention() -> None:
    """Catches a repeat inside a longer mention, and nesting that no bracket can hold."""
    doc = document("Kidney failure. Acute kidney failure shock.")
    whole = mention(doc, "Acute kidney failure", "Disease")
    short = mention(doc, "Kidney failure", "Disease")
    assert len(accepted(doc, short, whole, score=0.9)) == 2
    crossing = mention(doc, "failure shock", "Disease")
    assert len(accepted(doc, short, crossing, score=0.9)) == 2


def test_a_second_run_changes_nothing() -> None:
    """Catches a pass over stored candidates that feeds on its own answers."""
    doc = document("Acute kidney failure (AKF) is bad. AKF kills. Aspirin, aspirin and more aspirin.")
    given_ = [mention(doc, "Acute kidney failure", "Disease")]
    given_ += [mention(doc, "Aspirin", "Chemical", nth=number) for number in range(2)]
    once = finish_document(doc, given_).mentions
    assert finish_document(doc, [one for one in once if one.origin == "decoder"]).mentions == once


def test_label_sets_do_not_meet() -> None:
    """Catches types of one label set in the mentions of another."""
    doc = document("Aspirin and aspirin.")
    one, two = mention(doc, "Aspirin", "Chemical"), replace(mention(doc, "Aspirin", "Drug", nth=1), label_set="other")
    found = finish_document(doc, [one, two], scorer=lambda _: 1.0).mentions
    assert {(m.label_set, m.type) for m in found} == {("set", "Chemical"), ("other", "Drug")}


@given(st.text(alphabet="ab (A)B.肾病", min_size=3, max_size=60), st.data())
def test_every_mention_holds_its_text_and_ids_are_unique(text: str, data: st.DataObject) -> None:
    """Catches an offset that is off, two mentions of one place, and a parent that is not there."""
    doc = document(text)
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 6)), max_size=4))
    mentions = []
    for start, length in spans:
        end = min(start + length, len(text))
        suffix = place_suffix(0, start, end, label_set="set", type_name="T")
        place = ("s:1@1" + suffix, "s:1", 1, 0, "abstract", "en", 0, start, end, text[start:end])
        mentions.append(Mention(*place, "set", "T", None, 0, 1.0, 0.9, True))
    found = finish_document(doc, mentions, scorer=lambda _: 0.9).mentions
    assert all(text[one.start : one.end] == one.text for one in found)
    ids = [one.mention_id for one in found]
    assert len(ids) == len(set(ids))
    assert {one.parent_id for one in found} <= {None, *ids}
