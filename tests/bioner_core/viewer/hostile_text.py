"""Text that breaks a page which shows it as it is."""

from tests.bioner_core.evaluation.test_html_report import Outline

MARKUP = "</td><script>alert('p53')</script>"
CONTROL = "\x01"
OVERRIDE = "\u202e"
HOSTILE = f"{MARKUP}{CONTROL}{OVERRIDE}end"
"""Markup, a character that HTML cannot hold, and one that turns the direction of the text."""


def assert_shown_safely(page: str) -> None:
    """The page shows `HOSTILE`, as text."""
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in Outline(page).seen}
    assert CONTROL not in page
    assert OVERRIDE not in page
    assert "&lt;script&gt;" in page
    assert "\ufffd[U+202E]end" in page
