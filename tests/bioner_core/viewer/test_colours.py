"""One style per type, everywhere."""

from itertools import combinations

import pytest

from bioner_core.labels.label_set import bundled_label_sets, load_label_set
from bioner_core.viewer.colours import COLOURS, STYLES, meaning_of, style_number
from tests.bioner_core.export.awkward_store import ENGLISH, mentions_of
from tests.bioner_core.viewer.test_page import page_of


@pytest.mark.parametrize("name", sorted(bundled_label_sets()))
def test_types_of_one_label_set_differ(name: str) -> None:
    """Would catch two types of a page in one style."""
    numbers = {one.name: style_number(name, one.name) for one in load_label_set(name).types}
    for first, second in combinations(numbers, 2):
        assert numbers[first] != numbers[second], (first, second)
    assert all(0 <= number < STYLES for number in numbers.values())


def test_what_means_the_same_looks_the_same() -> None:
    """Would catch a disease that is blue in one label set and brown in the next."""
    assert style_number("bc5cdr", "Disease") == style_number("pubtator", "Disease")
    assert style_number("mine", "Disease") == style_number("mine", "Disease")


def test_other_types_of_a_page_change_no_colour() -> None:
    """Would catch colours that are given out in the order of what a page happens to hold."""
    alone = page_of(ENGLISH, mentions_of(ENGLISH, [("CD28", "genia", "protein", True)]))
    beside = page_of(
        ENGLISH, mentions_of(ENGLISH, [("CD28", "genia", "protein", True), ("surface", "genia", "DNA", True)])
    )
    number = style_number("genia", "protein")
    for page in (alone, beside):
        assert f'<mark class="m t{number % COLOURS}' in page
        assert 'data-t="protein"' in page


def test_the_legend_says_what_a_short_name_means() -> None:
    """Would catch `dis` and `bod`, which nobody can look up on the page."""
    assert "疾病" in meaning_of("cmeee", "dis")
    assert meaning_of("mine", "dis") == ""
    page = page_of(ENGLISH, mentions_of(ENGLISH, [("CD28", "cmeee", "dis", True)]))
    assert meaning_of("cmeee", "dis") in page
