"""Where names stand, and what they are joined to."""

import pytest

from bioner_core.document_pass.occurrences import is_part_of_name, is_part_of_symbol
from tests.bioner_core.document_pass.document_samples import accepted, document, mention


@pytest.mark.parametrize(
    ("marked", "of_name", "of_symbol"),
    [
        ("[MS] was seen", False, False),
        # English words
        ("[MS]-associated", False, False),
        ("[AD]-like", False, False),
        ("anti-[TNF] therapy", False, False),
        ("[MS]/optic neuritis", False, False),
        ("Norrie-[FEVR]", False, False),
        # lists
        ("[HIV]/HCV", False, False),
        ("HIV/[HCV]", False, False),
        # other names
        ("LC-[MS]/MS", False, True),
        ("LC-MS/[MS]", False, True),
        ("GC-[MS]", False, True),
        ("[PD]-L1", False, True),
        ("[AD]-MSC", False, True),
        ("[PD]\u2010L1", False, True),
        ("[TNF]-a", False, True),
        # numbers and Greek letters
        ("[TIM]-3", True, True),
        ("[TRAF]/2", True, True),
        ("[TNF]-\u03b1", True, True),
        ("[IKK]-alpha", True, True),
        ("beta-[NGF]", True, True),
        ("2-[MS]", False, False),
        ("[MS] -3", False, False),
        ("[MS]-", False, False),
    ],
)
def test_a_name_may_be_a_part_of_another_one(marked: str, of_name: bool, of_symbol: bool) -> None:
    """Catches a short form inside another symbol, and an English word or a list that is taken for a symbol."""
    text, start, end = marked.replace("[", "").replace("]", ""), marked.index("["), marked.index("]") - 1
    place = {"start": start, "end": end}
    assert (is_part_of_name(text, **place), is_part_of_symbol(text, **place)) == (of_name, of_symbol)


def test_a_short_form_inside_another_symbol_is_a_candidate_alone() -> None:
    """Catches mass spectrometry that has multiple sclerosis."""
    text = "Multiple sclerosis (MS) was studied by LC-MS/MS. GC-MS was used too. An MS-like case of MS."
    doc = document(text)
    found = {start for name, start, *_ in accepted(doc, mention(doc, "Multiple sclerosis", "Disease")) if name == "MS"}
    assert found == {text.index("(MS)") + 1, text.index("MS-like"), text.index("MS.", 60)}


def test_short_forms_inside_other_symbols_do_not_count_against_it() -> None:
    """Catches a definition that is taken for misread, since the decoder marks none of `GC-MS`."""
    doc = document("Multiple sclerosis (MS). " + "GC-MS was used. " * 8 + "MS was seen.")
    marked = accepted(doc, mention(doc, "Multiple sclerosis", "Disease"))
    assert len([name for name, *_ in marked if name == "MS"]) == 2


def test_a_repeat_beside_a_number_or_a_greek_letter_is_a_candidate_alone() -> None:
    """Catches TNF that is found in TNF-1, and its occurrences there that count as unmarked ones."""
    doc = document("TNF rose. TNF fell. We saw TNF-1, TNF-alpha and TNF-R and TNF.")
    marked = [mention(doc, "TNF", "Protein", nth=number) for number in range(2)]
    found = sorted(start for _, start, *_ in accepted(doc, *marked, score=0.9))
    text = doc.passages[0].text
    assert found == [0, 10, text.index("TNF-R"), text.index("TNF.")]
