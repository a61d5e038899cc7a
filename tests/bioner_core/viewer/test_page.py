"""The page of a document: whole, safe, and for every reader."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from bioner_core.documents import Document, Passage
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions, MentionConcept
from bioner_core.viewer.colours import definition_of
from bioner_core.viewer.page import render_page
from tests.bioner_core.evaluation.test_html_report import Outline
from tests.bioner_core.export.awkward_store import CHINESE, CHINESE_FOUND, ENGLISH, ENGLISH_FOUND, mentions_of
from tests.bioner_core.viewer.hostile_text import HOSTILE, MARKUP, assert_shown_safely


def page_of(document: Document, mentions: list[Mention]) -> str:
    """The page of a document."""
    return render_page(DocumentMentions(document, tuple(mentions), "f00d"), origin="shards")


def hostile_document() -> Document:
    """A document with hostile text in every field that is shown."""
    meta = replace(ENGLISH.meta, journal=HOSTILE, year=HOSTILE, ids=((HOSTILE, HOSTILE),), input_file=HOSTILE)
    first = Passage(HOSTILE, HOSTILE, 'en" onclick="x' + HOSTILE, HOSTILE)
    passages = (first, Passage("abstract", "", "en", "CD28 " + HOSTILE))
    return replace(ENGLISH, doc_id=HOSTILE, passages=passages, meta=meta, lang='en">' + HOSTILE)


def test_no_text_of_a_dump_becomes_markup() -> None:
    """Catches a title, id, heading, language, type or mention that is written into the page as it is."""
    document = hostile_document()
    found = mentions_of(document, [("</script>", HOSTILE, HOSTILE, True), (MARKUP, HOSTILE, HOSTILE, False)])
    assert len(found) == 4
    page = page_of(document, found)
    assert_shown_safely(page)
    assert not any(name.startswith("on") for _, attributes in Outline(page).seen for name in attributes)


class Texts(HTMLParser):
    """The texts of the passages, and of each mark."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.passages: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a passage begins."""
        if tag == "p" and ("class", "text") in attrs:
            self._inside = True
            self.passages.append("")

    def handle_endtag(self, tag: str) -> None:
        """Note where it ends."""
        self._inside = self._inside and tag != "p"

    def handle_data(self, data: str) -> None:
        """Gather its text."""
        if self._inside:
            self.passages[-1] += data


def test_the_page_shows_the_whole_text() -> None:
    """Catches text that is lost at the edges of mentions, in both languages."""
    for document, wanted in ((ENGLISH, ENGLISH_FOUND), (CHINESE, CHINESE_FOUND)):
        page = page_of(document, mentions_of(document, wanted))
        assert Texts(page).passages == [one.text.replace("\x1b", "\ufffd") for one in document.passages]


def test_every_mention_is_within_reach_of_the_keyboard_and_says_its_scores() -> None:
    """Catches scores for the mouse alone, a mention in two pieces that stops the keyboard twice, a missing legend."""
    found = mentions_of(ENGLISH, ENGLISH_FOUND)
    page = page_of(ENGLISH, found)
    seen = Outline(page).seen
    marks = [attributes for tag, attributes in seen if tag == "mark"]
    assert sum(one.get("tabindex") == "0" for one in marks) == sum(one.accepted for one in found)
    assert all("selector 0." in (one["aria-description"] or "") for one in marks)
    assert "inside “CD28 surface receptor”" in page
    assert page.count('<span class="key ') == len({(one.label_set, one.type) for one in found})
    assert ("html", {"lang": "en"}) in seen
    assert 'name="viewport" content="width=device-width' in page
    assert "prefers-color-scheme: dark" in page


def test_the_page_needs_nothing_from_outside() -> None:
    """Catches a font, script or image from the network."""
    page = page_of(ENGLISH, mentions_of(ENGLISH, ENGLISH_FOUND))
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in Outline(page).seen}
    assert not re.findall(r"url\(|@import|(?:src|href)=", page)
    assert "default-src 'none'" in page


def test_rejected_candidates_come_on_demand_only() -> None:
    """Catches a switch for nothing, and candidates that no table lists."""
    found = mentions_of(ENGLISH, ENGLISH_FOUND)
    assert 'type="checkbox"' in page_of(ENGLISH, found)
    assert "Turned down by the selector: 1" in page_of(ENGLISH, found)
    accepted = page_of(ENGLISH, [one for one in found if one.accepted])
    assert 'type="checkbox"' not in accepted
    assert "Turned down by the selector" not in accepted
    Outline(page_of(ENGLISH, []))


def test_a_long_text_stays_light() -> None:
    """Catches markup that grows with the square of the text."""
    text = "The CD28 surface receptor binds well. " * 8_000
    document = replace(ENGLISH, passages=(Passage("body", "", "en", text),))
    [outer, inner] = mentions_of(document, [("CD28 surface receptor", "g", "protein", True), ("CD28", "g", "p", True)])
    found = [
        replace(one, mention_id=f"{one.mention_id}{shift}", start=one.start + shift, end=one.end + shift)
        for shift in range(0, len(text), 38)
        for one in (outer, inner)
    ]
    page = page_of(document, found)
    assert page.count("<mark") == len(found) == 16_000
    assert len(page) < len(text) + 200 * len(found)


def test_each_passage_runs_in_the_direction_of_its_script() -> None:
    """Catches an Arabic or Hebrew passage that begins at the left edge."""
    assert page_of(ENGLISH, []).count('<p class="text" dir="auto"') == len(ENGLISH.passages)


def test_what_a_sentence_denies_and_what_a_mention_means_is_said() -> None:
    """Catches a negated mention that looks like any other, and a concept that only a table below the text has."""
    first, *others = mentions_of(ENGLISH, ENGLISH_FOUND)
    negated = replace(first, assertion="negated", accepted=True)
    concepts = {first.mention_id: MentionConcept("T:1", "a <concept>")}
    page = render_page(DocumentMentions(ENGLISH, (negated, *others), concepts=concepts), origin="shards")
    assert f'data-t="{first.type}, negated"' in page
    assert "a &lt;concept&gt; T:1" in page


def test_the_page_says_how_the_types_are_defined() -> None:
    """Catches a short name of a type whose meaning stands in a file of the program alone."""
    page = page_of(ENGLISH, mentions_of(ENGLISH, [("CD28", "genia", "protein", True)]))
    assert definition_of("genia", "protein", lang="en") in page
    assert definition_of("genia", "protein", lang="zh") != definition_of("genia", "protein", lang="en")
    assert definition_of("mine", "protein", lang="en") == ""
