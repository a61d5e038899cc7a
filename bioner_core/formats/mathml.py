"""The text of formulas in MathML, and of what holds some: the characters that a reader sees, in one line."""

from collections.abc import Iterator

from bioner_core.formats.xml_text import Element, local_name

ANNOTATIONS = frozenset({"annotation", "annotation-xml"})
"""The same formula once more, in TeX or another form: it is not read."""

_APART = frozenset({"mtr", "mtd", "DispFormula"})


def math_text(element: Element) -> str:
    """The text of an element, markup removed: a blank parts the halves of a fraction, and the cells of a matrix.

    Blanks stand around a fraction too, so that a number before it stays one; some may follow one another.
    """
    return "".join(_pieces(element))


def has_math(element: Element) -> bool:
    """Whether there is MathML anywhere below an element."""
    return len(element) > 0 and next(element.iterdescendants("{*}math"), None) is not None


def _pieces(element: Element) -> Iterator[str]:
    name = local_name(element)
    if name == "mfrac":
        yield f" {' '.join(math_text(part) for part in element.iterchildren('*'))} "
        return
    yield element.text or ""
    for part in element:
        inner = local_name(part)
        if inner and inner not in ANNOTATIONS:
            spaced = " " if inner in _APART else ""
            yield spaced
            yield from _pieces(part)
            yield spaced
        yield part.tail or ""
