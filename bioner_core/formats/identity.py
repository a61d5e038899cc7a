"""Who a record of an export is: by its link's file name, else its DOI, else a digest of what it is called.

Exports have no stable id (the database name in a link changes, newer links are opaque), so this order is fixed.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_FILE_NAME = re.compile(r"[?&]filename=([\w.\-]{1,100})", re.IGNORECASE)
_WANFANG_ID = re.compile(r"wanfangdata\.com\.cn/.*[?&]id=([\w.\-]{1,100})", re.IGNORECASE)
_DIGEST_DIGITS = 16


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
