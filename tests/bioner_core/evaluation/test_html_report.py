"""The page of a report: whole, safe, and for every reader."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from lxml import etree

from bioner_core.evaluation.charts import bar_chart, reliability_chart
from bioner_core.evaluation.html_report import render_report
from bioner_core.evaluation.reliability import ReliabilityBin
from tests.bioner_core.evaluation.evaluation_samples import run_with_every_mistake

VOID = {"meta", "link", "br"}


class Outline(HTMLParser):
    """What a page holds: its tags in order, and whether they balance."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and keep it open unless it is void."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a closed tag."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that is open."""
        assert self.open.pop() == tag


def report_of(**options: Any) -> dict[str, Any]:
    """A report as the command writes it and reads it back."""
    run = run_with_every_mistake(**options)
    about = {"data": "a&b.jsonl", "label_set": "genia", "model": "default", "decoder": "drafted"}
    report = about | {"number_format": "bfloat16"} | run.to_json() | {"examples": run.examples_json()}
    loaded: dict[str, Any] = json.loads(json.dumps(report))
    return loaded


def test_text_of_the_corpus_cannot_become_markup() -> None:
    """Catches a sentence with tags or ampersands that is written into the page as it is."""
    page = render_report(report_of())
    Outline(page)
    assert "<b>CD28" not in page
    assert "&lt;b&gt;" in page
    assert "a&amp;b.jsonl" in page


def test_no_name_of_the_corpus_breaks_the_page() -> None:
    """Catches a name of a file or a type, in a table or a chart, with a character that HTML cannot hold."""
    name = "<b>\x01\u202eend"
    report = report_of()
    report |= {"data": name, "by_type": {name: next(iter(report["by_type"].values()))}}
    page = render_report(report)
    Outline(page)
    assert "\x01" not in page
    assert "\u202e" not in page
    assert "&lt;b&gt;\ufffd[U+202E]end" in page


def test_the_page_needs_nothing_from_outside() -> None:
    """Catches a font, script or image from the network, or a script at all."""
    page = render_report(report_of())
    outline = Outline(page)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in outline.seen}
    assert not re.findall(r"url\(|@import|(?:src|href)=\"(?!#)", page)
    assert "default-src 'none'" in page


def test_the_page_serves_every_reader() -> None:
    """Catches a chart without a name, a scrolling table out of reach of the keyboard, a page too wide for a phone."""
    page = render_report(report_of())
    seen = Outline(page).seen
    charts = [attributes for tag, attributes in seen if tag == "svg"]
    assert len(charts) == 6
    assert all(one.get("role") == "img" and one.get("aria-label") and one.get("viewbox") for one in charts)
    scrolling = [attributes for _, attributes in seen if attributes.get("class") == "scroll"]
    assert scrolling
    assert all(one.get("tabindex") == "0" and one.get("aria-label") for one in scrolling)
    assert ("html", {"lang": "en"}) in seen
    assert 'name="viewport" content="width=device-width' in page
    assert "prefers-color-scheme: dark" in page
    ids = [attributes["id"] for _, attributes in seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for _, attributes in seen if "aria-labelledby" in attributes} <= set(ids)


def test_every_kind_of_mistake_is_shown_with_its_examples() -> None:
    """Catches a bucket that the page leaves out, or an example whose marks are at the wrong place."""
    page = render_report(report_of())
    for words in ("Boundary off by one unit: 2 of 3", "Wrong type: 2 of 3", "Missed: 2 of 6", "Spurious: 2 of 3"):
        assert words in page
    assert '<mark class="both">CD28</mark>' in page
    assert '<mark class="both">IL-2 receptor</mark><mark class="predicted"> alpha</mark>' in page


def test_a_run_without_selector_or_examples_or_mentions_has_a_page() -> None:
    """Catches a template that divides by nothing or asks for what is not there."""
    page = render_report(report_of(has_selector=False, examples=0))
    assert "Expected calibration error" not in page
    assert "No selector had a say" in page
    assert "Examples:" not in page
    Outline(render_report(report_of(records_wanted=0)))


@pytest.mark.parametrize("bins", [[], [ReliabilityBin(0.0, 0.0, 1, 0.0, 1.0)], [ReliabilityBin(0.1, 9.0, 3, 4.5, 0.5)]])
@pytest.mark.parametrize("is_probability", [False, True])
def test_charts_are_well_formed_and_inside_their_frame(bins: list[ReliabilityBin], is_probability: bool) -> None:
    """Catches a division by an empty range, and names that break the markup."""
    scaled = [ReliabilityBin(b.low / 10, b.high / 10, b.count, b.mean_score / 10, b.precision) for b in bins]
    chart = reliability_chart("a < b", scaled if is_probability else bins, x_name='"&', is_probability=is_probability)
    root = etree.fromstring(chart)
    assert len(root.findall("{*}circle")) == len(bins)
    width, height = (float(one) for one in root.get("viewBox", "").split()[2:])
    for circle in root.iterfind("{*}circle"):
        assert 0 <= float(circle.get("cx", "-1")) <= width
        assert 0 <= float(circle.get("cy", "-1")) <= height


def test_dots_rise_with_precision_and_follow_the_score() -> None:
    """Catches an axis that is upside down, or the bin's edge in place of its mean score."""
    bins = [ReliabilityBin(0.0, 0.5, 4, 0.25, 0.0), ReliabilityBin(0.5, 1.0, 1, 0.75, 1.0)]
    root = etree.fromstring(reliability_chart("r", bins, x_name="p", is_probability=True))
    low, high = root.iterfind("{*}circle")
    (left, bottom), (right, top) = ((float(one.get("cx", "")), float(one.get("cy", ""))) for one in (low, high))
    assert top < bottom
    assert right - left == pytest.approx((bottom - top) / 2)
    assert float(low.get("r", "")) > float(high.get("r", ""))


def test_bars_are_as_long_as_their_values() -> None:
    """Catches counts that are scaled as ratios, and a bar for a value that is not there."""
    ratios = etree.fromstring(bar_chart("F1", [("<X>", [1.0, 0.5]), ("Y", [None, 0.0])]))
    widths = [float(bar.get("width", "0")) for bar in ratios.iterfind("{*}rect")]
    assert widths[0] == pytest.approx(2 * widths[1])
    assert widths[2:] == [1.0]
    counts = etree.fromstring(bar_chart("n", [("a", [30]), ("b", [15])], as_counts=True))
    longest, half = (float(bar.get("width", "0")) for bar in counts.iterfind("{*}rect"))
    assert (longest, half) == (widths[0], pytest.approx(widths[0] / 2))
    etree.fromstring(bar_chart("nothing", []))
