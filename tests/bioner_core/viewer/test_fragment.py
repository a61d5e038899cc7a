"""A tagged text in a notebook: whole, safe, and without anything that a notebook takes away."""

import re
from dataclasses import replace

from bioner_core.viewer.marks import render_fragment
from tests.bioner_core.evaluation.test_html_report import Outline
from tests.bioner_core.export.awkward_store import ENGLISH, ENGLISH_FOUND, document, mentions_of

HOSTILE = "CD28</mark><script>alert(1)</script> \u202egnp.exe"


def test_all_of_the_text_is_there_with_the_names_of_the_types() -> None:
    """Catches text that is lost at the edges of mentions, a line without its type, a candidate that was refused."""
    passage = ENGLISH.passages[0]
    found = [one for one in mentions_of(ENGLISH, ENGLISH_FOUND) if one.passage_index == 0]
    shown = render_fragment(passage.text, found, lang="en")
    bare = re.sub(r"<small[^>]*>[^<]*</small>|<[^>]+>", "", shown)
    assert bare == passage.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    accepted = [one for one in found if one.accepted]
    assert shown.count("<small") == len(accepted) < len(found)


def test_a_text_cannot_become_markup_and_needs_no_style_sheet() -> None:
    """Catches a sentence that runs in a notebook, one that turns its line round, and styles that a notebook drops."""
    hostile = document("jsonl:1", ("text", HOSTILE))
    shown = render_fragment(HOSTILE, mentions_of(hostile, [("CD28", HOSTILE, HOSTILE, True)]), lang='en"><script>')
    tags = {tag for tag, _ in Outline(shown).seen}
    assert tags == {"div", "mark", "small"}
    assert "class=" not in shown
    assert "\u202e" not in shown


def test_what_a_sentence_denies_is_said() -> None:
    """Catches a negated mention that looks like any other."""
    [found] = mentions_of(document("jsonl:1", ("text", "No fever.")), [("fever", "bc5cdr", "Disease", True)])
    shown = render_fragment("No fever.", [replace(found, assertion="negated")], lang="en")
    assert ">Disease, negated</small>" in shown
    assert ">Disease</small>" in render_fragment("No fever.", [replace(found, assertion="present")], lang="en")
