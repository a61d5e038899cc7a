"""The pages of `bioner serve` in a real Chromium: for the keyboard, a phone, the dark, and texts that mean harm."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from browser_pages import CONTRASTS, DESK, LONG_WORD, OVERRIDE, PHONE, SCRIPT, chromium, hostile_store, served

import bioner
from tests.bioner_core.export.awkward_store import ENGLISH, ENGLISH_FOUND, mentions_of

pytestmark = pytest.mark.slow

PATHS = (
    "/",
    "/documents?text=CD28",
    "/document?id=jsonl:plain",
    "/document?id=jsonl:hostile",
    "/document?id=jsonl:arabic",
    f"/document?id=jsonl:{LONG_WORD[:300]}",
    "/concept?id=MESH:D1",
    "/questions",
    "/answer?name=top_entities",
    f"/answer?sql={quote('FROM candidates LIMIT 20')}",
    f"/answer?sql={quote('FROM nowhere')}",
    "/runs",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that `bioner serve` printed; the browser comes first, so that nothing is made in vain."""
    with served(hostile_store(tmp_path_factory.mktemp("hostile"))) as printed:
        yield printed


def opened(browser: Any, address: str, *, size: tuple[int, int] = DESK, scheme: str = "light") -> Any:
    """A page on the store's first page, in a window of its own."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    return page


def here(address: str, path: str) -> str:
    """The address of a page of the store."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{path}"


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until the focus is on what the selector names; each stop on the way can be seen."""
    for _ in range(200):
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("() => document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_the_keyboard_alone_goes_from_a_search_to_an_answer(browser: Any, address: str) -> None:
    """Would catch a link for the mouse alone, a focus that nobody sees, a form that ignores Enter."""
    page = opened(browser, address)
    tab_to(page, 'input[name="text"]')
    page.keyboard.type("No CD28 was")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents?*")
    tab_to(page, "main ul a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/document?*")
    tab_to(page, "mark.m")
    shown = page.evaluate("() => getComputedStyle(document.activeElement, '::after').content")
    assert "selector" in shown
    tab_to(page, 'a[href^="/concept"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/concept?*")
    assert "CD28" in page.inner_text("h1")
    tab_to(page, 'nav a[href="/questions"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/questions")
    tab_to(page, 'textarea[name="sql"]')
    page.keyboard.type("SELECT count(*) AS documents FROM documents")
    tab_to(page, "button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/answer?*")
    assert page.inner_text("tbody td") == "4"


@pytest.mark.parametrize("path", PATHS)
def test_nothing_scrolls_sideways_on_a_phone(browser: Any, address: str, path: str) -> None:
    """Would catch a table, a long word or a form that makes a page wider than a phone."""
    page = opened(browser, address, size=PHONE)
    page.goto(here(address, path))
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_letters_and_lines_stand_out(browser: Any, address: str, path: str, scheme: str) -> None:
    """Would catch letters below 4.5 : 1 and lines of mentions or fields below 3 : 1, by day and by night."""
    page = opened(browser, address, scheme=scheme)
    page.goto(here(address, path))
    for box in page.query_selector_all('input[type="checkbox"], summary'):
        box.click()
    found = page.evaluate(CONTRASTS)
    assert found
    assert not [one for one in found if one[1] < (4.5 if one[0] == "text" else 3.0)]
    back = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) < 384) == (scheme == "dark")


def test_hostile_text_is_text(browser: Any, address: str) -> None:
    """Would catch a title that runs, an override that turns the rest of a line, and a text that is not shown whole."""
    page = opened(browser, address)
    for path in PATHS:
        page.goto(here(address, path))
        assert page.title() != "taken over"
        assert page.query_selector("script, img, iframe, object, link") is None
        assert not any(one in page.content() for one in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
    page.goto(here(address, "/document?id=jsonl:hostile"))
    shown = page.evaluate("() => Array.from(document.querySelectorAll('p.text'), one => one.textContent).join(' ')")
    assert SCRIPT in shown
    assert LONG_WORD in shown
    assert OVERRIDE.replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]") in shown


def test_nothing_else_is_asked_for_and_the_token_is_gone(browser: Any, address: str) -> None:
    """Would catch a font or picture of another host, and a token in links, history, referrers or later requests."""
    token = address.partition("token=")[2]
    page = browser.new_context().new_page()
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(address)
    assert token not in page.url
    for path in PATHS:
        page.goto(here(address, path))
        for link in page.evaluate(
            "() => Array.from(document.querySelectorAll('[href], [action]'), one => one.outerHTML)"
        ):
            assert token not in link
    page.goto(here(address, "/documents"))
    page.click('nav a[href="/questions"]')
    assert token not in page.evaluate("() => document.referrer")
    page.go_back()
    assert token not in page.url
    first = asked.pop(0)
    assert token in first.url
    own = urlsplit(address).netloc
    for one in asked:
        assert urlsplit(one.url).netloc == own
        assert token not in one.url
        assert token not in one.headers.get("referer", "")


@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#383838"])
def test_a_notebook_shows_lines_on_any_ground(browser: Any, ground: str) -> None:
    """Would catch a tagged text whose lines or letters vanish in a notebook's dark theme."""
    text = ENGLISH.passages[-1].text
    found = [one for one in mentions_of(ENGLISH, ENGLISH_FOUND) if one.passage_index == len(ENGLISH.passages) - 1]
    tagged = bioner.TaggedText(text, tuple(found))
    ink = "#000000" if ground == "#ffffff" else "#ffffff"
    page = browser.new_context().new_page()
    page.set_content(f'<body style="background:{ground};color:{ink}">{tagged._repr_html_()}')
    seen = page.evaluate(CONTRASTS)
    assert sum(one[0] == "line" for one in seen) == len(tagged.mentions) > 0
    assert not [one for one in seen if one[1] < (4.5 if one[0] == "text" else 3.0)]
