"""Keys by which a record is known again in another export of the same article.

The order is that of `identity`: the link's file name, else the DOI, else normalised title, source and year. Keys hold
for one source of the store (`cnki`, `wanfang`): its documents have ids and a partition of their own.
"""

from bioner_core.documents import Document
from bioner_core.formats.identity import called_digest


def deduplication_key(document: Document) -> str:
    """The strongest key that a record has. Records of one source with the same key are copies of one article."""
    return record_keys(document)[0]


def record_keys(document: Document) -> tuple[str, ...]:
    """All keys of a record, the strongest first: `file:<name>`, `doi:<DOI>`, `called:<16 hex digits>`.

    Each begins with `<source>:`. Names and DOIs are case-folded. The last key is always there; it takes the first title
    (the first passage where there is no title), so a translated title beside it does not matter. Two records that both
    have a file name are different when the names are, whatever their weaker keys say: journals repeat their headings.
    """
    ids = dict(document.meta.ids)
    strong = (("file", ids.get(document.source, "")), ("doi", ids.get("doi", "")))
    called = called_digest(_first_title(document), document.meta.journal, year=document.meta.year)
    keys = [f"{document.source}:{kind}:{value.casefold()}" for kind, value in strong if value]
    return (*keys, f"{document.source}:called:{called}")


def _first_title(document: Document) -> str:
    titles = (passage.text for passage in document.passages if passage.section == "title")
    return next(titles, document.passages[0].text if document.passages else "")
