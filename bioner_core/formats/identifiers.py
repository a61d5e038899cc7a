"""Ids of records: one normal form for those that files write in many, and who a record of an export is.

Exports have no stable id (the database name in a link changes, newer links are opaque), so the order is fixed: the
link's file name, else the DOI, else a digest of title, journal and year. Keys by which a record is known again in
another export go by the same order, and hold for one source of the store (`cnki`, `wanfang`).
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from bioner_core.documents import Document

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_BARE_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/")
_PMC = re.compile(r"(?:PMC)?(\d{1,12})", re.IGNORECASE)
_PMC_LABEL = re.compile(r"^PMCID\s*:?\s*", re.IGNORECASE)
_PMID = re.compile(r"(?:PMID\s*:?\s*)?0*(\d{0,12})", re.IGNORECASE)

# Not a string: the empty text is in every string.
_FIRST_DIGITS = frozenset("123456789")
_MOST_DIGITS = 12

_FILE_NAME = re.compile(r"[?&]filename=([\w.\-]{1,100})", re.IGNORECASE)
_WANFANG_ID = re.compile(r"wanfangdata\.com\.cn/.*[?&]id=([\w.\-]{1,100})", re.IGNORECASE)
_DIGEST_DIGITS = 16


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


@dataclass(frozen=True, slots=True)
class RecordNames:
    """What a record says of its own identity; any may be empty."""

    title: str
    journal: str
    year: str
    doi: str
    link: str


def document_id(source: str, names: RecordNames) -> str:
    """`<source>:<file name>`, else `<source>:doi:<DOI in lower case>`, else `<source>:<16 hex digits>`."""
    if name := link_name(names.link):
        return f"{source}:{name}"
    if doi := doi_of(names):
        return f"{source}:doi:{doi.lower()}"
    return f"{source}:{called_digest(names.title, names.journal, year=names.year)}"


def called_digest(title: str, journal: str, *, year: str) -> str:
    """16 hex digits of the sha256 of what an article is called: letters and digits only, width and case folded."""
    called = "\x1f".join(_normalised(part) for part in (title, journal, year))
    return hashlib.sha256(called.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_DIGITS]


def public_ids(source: str, names: RecordNames) -> tuple[tuple[str, str], ...]:
    """The link's file name under the name of its source, and the DOI; those that there are."""
    found = ((source, link_name(names.link)), ("doi", doi_of(names)))
    return tuple((kind, value) for kind, value in found if value)


def link_name(link: str) -> str:
    """The name by which a CNKI link (`FileName=`) or a Wanfang link (`id=`) calls its article; empty when opaque."""
    found = _FILE_NAME.search(link) or _WANFANG_ID.search(link)
    return found.group(1) if found else ""


def doi_of(names: RecordNames) -> str:
    """The bare DOI, from its own field or else from the link."""
    found = _DOI.search(names.doi) or _DOI.search(names.link)
    return found.group() if found else ""


def _normalised(text: str) -> str:
    """Only what survives another export of the same article: letters and digits, width and case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def record_keys(document: Document) -> tuple[str, ...]:
    """All keys of a record, the strongest first: `file:<name>`, `doi:<DOI>`, `called:<16 hex digits>`.

    Records of one source whose strongest keys are the same are copies of one article. Each begins with `<source>:`.
    Names and DOIs are case-folded. The last key is always there; it takes the first title (the first passage where
    there is no title), so a translated title beside it does not matter. Two records that both have a file name are
    different when the names are, whatever their weaker keys say: journals repeat their headings.
    """
    ids = dict(document.meta.ids)
    strong = (("file", ids.get(document.source, "")), ("doi", ids.get("doi", "")))
    called = called_digest(_first_title(document), document.meta.journal, year=document.meta.year)
    keys = [f"{document.source}:{kind}:{value.casefold()}" for kind, value in strong if value]
    return (*keys, f"{document.source}:called:{called}")


def _first_title(document: Document) -> str:
    titles = (passage.text for passage in document.passages if passage.section == "title")
    return next(titles, document.passages[0].text if document.passages else "")
