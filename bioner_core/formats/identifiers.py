"""One normal form for the ids that files write in many: DOI, PMC id, PMID."""

import re

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_BARE_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/")
_PMC = re.compile(r"(?:PMC)?(\d{1,12})", re.IGNORECASE)
_PMC_LABEL = re.compile(r"^PMCID\s*:?\s*", re.IGNORECASE)
_PMID = re.compile(r"(?:PMID\s*:?\s*)?0*(\d{0,12})", re.IGNORECASE)

# Not a string: the empty text is in every string.
_FIRST_DIGITS = frozenset("123456789")
_MOST_DIGITS = 12


def normal_doi(written: str) -> str:
    """The bare DOI, its letters as they are written; without URL, `doi:` and percent signs around it.

    What holds no DOI comes back as it is: publishers use ids of their own in that place, and they too name an article.
    """
    text = written.strip()
    if _BARE_DOI.match(text):
        return text
    found = _DOI.search(text.replace("%2F", "/").replace("%2f", "/"))
    return found.group() if found else text


def normal_pmcid(written: str) -> str:
    """`PMC` and the number, from `123`, `pmc123` or `PMCID: PMC123`; another id comes back with `PMC` before it."""
    text = written.strip()
    if text[:3] == "PMC" and _is_number(text[3:]):
        return text
    text = _PMC_LABEL.sub("", text)
    found = _PMC.fullmatch(text)
    if found:
        return f"PMC{found.group(1)}" if int(found.group(1)) else ""
    return text if not text or text.startswith("PMC") else f"PMC{text}"


def normal_pmid(written: str) -> str:
    """The number alone; empty for 0, which files write where there is none; another id comes back as it is."""
    text = written.strip()
    if _is_number(text):
        return text
    found = _PMID.fullmatch(text)
    return found.group(1) if found else text


def _is_number(text: str) -> bool:
    """Whether a text is an id's number as nearly all files write it, which takes no regular expression to tell."""
    return text[:1] in _FIRST_DIGITS and len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()
