"""Common names of MeSH headings."""

from bioner_core.concepts.common_names import common_names


def test_a_heading_has_its_symbol_and_its_common_names() -> None:
    """Catches a symbol that is lost, and a heading that gets the names of another one."""
    assert common_names("Potassium") == ("K",)
    assert common_names("Doxorubicin") == ("adriamycin", "ADR")
    assert common_names("Kidney Failure") == ()
