"""The finish pass over one document."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.document_pass.finish import decoder_candidates, finish_document, finish_mentions
from bioner_core.document_pass.settings import FinishSettings, RepeatFacts
from bioner_core.documents import Document, Passage
from bioner_core.inference.placement import place_candidates
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Candidate, Mention
from bioner_core.store.mention_ids import place_suffix
from bioner_core.text.sentences import split_passage
from tests.bioner_core.document_pass.document_samples import accepted, document, mention


def test_a_short_form_follows_its_long_form_everywhere() -> None:
    """Catches short forms that stay unmarked where the document defines them."""
    doc = document("Acute kidney failure (AKF) is bad. AKF kills.", "Of AKF we know.")
    found = accepted(doc, mention(doc, "Acute kidney failure", "Disease"))
    assert {(text, origin) for text, _, _, origin in found} == {
        ("Acute kidney failure", "decoder"),
        ("AKF", "abbreviation"),
    }
    assert len(found) == 4


def test_a_short_form_in_a_bracket_with_blanks_is_followed_too() -> None:
    """Catches texts of tokenised corpora, whose short forms stay unmarked everywhere."""
    for bracket in ("(AKF)", "( AKF )", "（\u3000AKF）"):
        doc = document(f"Acute kidney failure {bracket} is bad . AKF kills .", "Of AKF we know .")
        found = accepted(doc, mention(doc, "Acute kidney failure", "Disease"))
        assert [text for text, *_ in sorted(found)] == ["AKF", "AKF", "AKF", "Acute kidney failure"]


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


def test_a_changed_type_keeps_what_the_decoder_said_beside_it() -> None:
    """Catches a majority that overwrites the decoder's answer, and a retyped inner mention that is lost."""
    doc = document("Sodium and sodium and sodium and no sodium level.")
    mentions = [mention(doc, "Sodium", "Chemical", nth=number) for number in range(3)]
    stray, outer = mention(doc, "Sodium", "Disease", nth=3), mention(doc, "sodium level", "Test")
    found = finish_document(doc, [*mentions, stray, outer]).mentions
    last = {(one.type, one.accepted, one.origin, one.depth) for one in found if one.start == stray.start}
    assert last == {("Disease", False, "decoder", 1), ("Chemical", True, "repeat", 1), ("Test", True, "decoder", 0)}
    kept = [replace(one, parent_id=None, depth=0) for one in decoder_candidates(found)]
    assert [(one.mention_id, one.type, one.selector_score) for one in kept] == [
        (one.mention_id, one.type, one.selector_score) for one in (*mentions, outer, stray)
    ]


def test_finished_mentions_say_what_their_sentence_says() -> None:
    """Catches an assertion by the words of another sentence, or offsets into the passage taken for the sentence's."""
    doc = document("We gave aspirin. There was no fever after aspirin.")
    mentions = [mention(doc, "aspirin", "Chemical"), mention(doc, "fever", "Disease")]
    found = finish_mentions(doc, mentions, settings=FinishSettings(), label_sets=())
    assert [(one.text, one.assertion) for one in found] == [
        ("aspirin", "present"),
        ("fever", "negated"),
        ("aspirin", "present"),
    ]


def test_a_candidate_that_the_document_speaks_for_keeps_its_own_scores() -> None:
    """Catches a turned-down candidate whose scores the pass writes over."""
    doc = document("Acute kidney failure (AKF) is bad.")
    short = mention(doc, "AKF", "Disease", accepted=False, score=0.2)
    [_, found] = finish_document(doc, [mention(doc, "Acute kidney failure", "Disease"), short]).mentions
    assert (found.accepted, found.selector_score, found.tag_score, found.origin) == (True, 0.2, 5.0, "decoder")


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


@pytest.mark.parametrize(
    ("languages", "found_in"),
    [(("zh",), {"zh"}), (("en",), {"en"}), (("en", "zh"), {"en", "zh"}), ((), {"en", "zh", "fr"})],
)
def test_names_are_looked_for_in_passages_that_the_label_set_is_for(
    languages: tuple[str, ...], found_in: set[str]
) -> None:
    """Catches repeats and short forms of a Chinese label set in the English abstract beside it, and a label set of
    several languages whose mentions are all in one and that is no longer looked for in the other."""
    texts = {
        "zh": "heart failure (CHF)，心力衰竭(chronic heart failure,CHF)，COPD",
        "en": "Chronic heart failure and CHF. COPD and COPD.",
        "fr": "CHF et COPD.",
    }
    first = languages[0] if languages else "zh"
    order = sorted(texts, key=lambda lang: lang != first)
    doc = Document("s:1", "s", 1, "zh", tuple(Passage("abstract", "", lang, texts[lang]) for lang in order))
    names = [one for one in ("chronic heart failure", "Chronic heart failure", "COPD") if one in texts[first]]
    marked = [replace(mention(doc, name, "Disease"), lang=first) for name in names]
    choice = LabelSetChoice("set", languages)
    found = finish_mentions(doc, marked, settings=FinishSettings(), label_sets=[choice])
    assert {one.lang for one in found} == found_in
    for name in ("COPD", "CHF"):
        assert {one.lang for one in found if one.text == name} == found_in


@given(st.text(alphabet="ab (A)B.肾病", min_size=3, max_size=60), st.data())
def test_every_mention_holds_its_text_and_ids_are_unique(text: str, data: st.DataObject) -> None:
    """Catches an offset that is off, two mentions of one place, and a parent that is not there."""
    doc = document(text)
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 6)), max_size=4))
    mentions = []
    for start, length in spans:
        end = min(start + length, len(text))
        suffix = place_suffix(0, start=start, end=end, label_set="set", type_name="T")
        place = ("s:1@1" + suffix, "s:1", 1, 0, "abstract", "en", 0, start, end, text[start:end])
        mentions.append(Mention(*place, "set", "T", None, 0, 1.0, 0.9, True))
    found = finish_document(doc, mentions, scorer=lambda _: 0.9).mentions
    assert all(text[one.start : one.end] == one.text for one in found)
    ids = [one.mention_id for one in found]
    assert len(ids) == len(set(ids))
    assert {one.parent_id for one in found} <= {None, *ids}


@st.composite
def decoded(draw: st.DrawFn) -> tuple[Document, list[Mention]]:
    """A document and what a decoder might give for it: names of two types and two label sets, nested and crossing."""
    words = st.sampled_from(
        ["Renal failure", "(RF)", "RF", "renal", "failure", "aspirin", "Aspirin", ". ", "肾病", "(AB)"]
    )
    texts = draw(st.lists(st.lists(words, min_size=1, max_size=9).map(" ".join), min_size=1, max_size=3))
    doc = document(*texts)
    found: list[Mention] = []
    for index, passage in enumerate(doc.passages):
        for sentence in split_passage(passage, index):
            names = [one.span() for one in re.finditer("Renal failure|RF|renal|[Aa]spirin|肾病|AB", sentence.text)]
            anywhere = st.tuples(st.integers(0, len(sentence.text) - 1), st.just(len(sentence.text)))
            for label_set in ("one", "two"):
                spans = draw(st.lists(st.sampled_from(names) | anywhere if names else anywhere, max_size=5))
                rows = [
                    Candidate(
                        *span,
                        draw(st.sampled_from("AB")),
                        draw(st.floats(0, 9)),
                        draw(st.sampled_from([0.2, 0.45, 0.6, 0.93, 1.0])),
                        draw(st.booleans()),
                    )
                    for span in spans
                ]
                found += place_candidates(doc, sentence, candidates=rows, label_set=label_set, id_prefix="s:1@1")
    return doc, found


SETTINGS = st.builds(
    FinishSettings.of,
    st.fixed_dictionaries({"one": st.sampled_from([0.0, 0.5, 0.9]), "two": st.sampled_from([0.0, 0.5])}),
    document_pass=st.booleans(),
)


@given(decoded(), SETTINGS, SETTINGS)
def test_finished_mentions_hold_all_that_finishing_needs(
    given_: tuple[Document, list[Mention]], first: FinishSettings, then: FinishSettings
) -> None:
    """Catches anything of the decoder's that finishing loses, for other thresholds and for the pass off and on."""
    doc, candidates = given_
    label_sets = (LabelSetChoice("one", ("en",)), LabelSetChoice("two"))
    once = finish_mentions(doc, candidates, settings=first, label_sets=label_sets)
    again = decoder_candidates(once)
    assert finish_mentions(doc, again, settings=first, label_sets=label_sets) == once
    assert finish_mentions(doc, again, settings=then, label_sets=label_sets) == finish_mentions(
        doc, candidates, settings=then, label_sets=label_sets
    )
    assert {one.parent_id for one in once} <= {None, *(one.mention_id for one in once if one.accepted)}


def test_a_short_form_of_several_types_has_that_of_its_long_form() -> None:
    """Catches a disease that is a chemical all through an article, since the model takes its letters for one."""
    doc = document("Salt induced fever (SIF) is bad, salt-induced fever is. SIF and SIF and SIF.")
    wrong = [mention(doc, "SIF", "Chemical", nth=number) for number in (0, 1, 2)]
    right = [mention(doc, "SIF", "Disease", nth=3), mention(doc, "salt-induced fever", "Disease")]
    kinds = {(text, kind) for text, _, kind, _ in accepted(doc, *wrong, *right) if text == "SIF"}
    assert kinds == {("SIF", "Disease")}
    without_long_form = {(text, kind) for text, _, kind, _ in accepted(doc, *wrong, right[0]) if text == "SIF"}
    assert without_long_form == {("SIF", "Chemical")}
    of_one_mind = {(text, kind) for text, _, kind, _ in accepted(doc, *wrong, right[1]) if text == "SIF"}
    assert ("SIF", "Chemical") in of_one_mind


def test_a_finished_document_has_the_abbreviations_that_it_defines() -> None:
    """Catches a Chinese long form that no mention delimits, of several the shorter one, a pair of the wrong passage,
    and ids that do not begin as they should."""
    doc = document("有糖尿病肾病（DN）表现。", "(chronic heart failure,CHF) is bad.")
    mentions = [mention(doc, name, "Disease") for name in ("肾病", "糖尿病肾病")]
    for given_ in (mentions, mentions[::-1]):
        found = finish_document(doc, given_, id_prefix="s:1@7")
        assert [(one.passage_index, one.long_form, one.short_form) for one in found.abbreviations] == [
            (0, "糖尿病肾病", "DN"),
            (1, "chronic heart failure", "CHF"),
        ]
        assert {one.mention_id.partition(":p")[0] for one in found.mentions} == {"s:1@7"}
    assert [one.long_form for one in finish_document(doc, []).abbreviations] == ["chronic heart failure"]
