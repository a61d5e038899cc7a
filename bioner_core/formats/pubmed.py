"""PubMed XML: baseline and update files, efetch replies, and single citations cut out of them.

Streamed: each citation is dropped from the tree, with all before it, once it has been turned into a document.
"""

from collections.abc import Iterator
from functools import partial
from typing import cast

from lxml import etree

from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    stream_chunks,
)
from bioner_core.formats.pubmed_citation import book_document, citation_document, citation_version, required_pmid
from bioner_core.formats.pubmed_prolog import read_prolog, sniff_root
from bioner_core.records import Deletion, RejectReason

_CITATIONS = ("PubmedArticle", "MedlineCitation")
_BOOKS = ("PubmedBookArticle", "BookDocument")
_RECORDS = _CITATIONS + _BOOKS
_DELETIONS = "DeleteCitation"
_ROOTS = frozenset({"PubmedArticleSet", "MedlineCitationSet", "PubmedBookArticleSet", *_RECORDS})

_REASONS = {
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: RejectReason.TOO_LARGE,
    etree.ErrorTypes.ERR_INVALID_ENCODING: RejectReason.BAD_ENCODING,
}


class PubmedReader(Reader):
    """Reads every root that PubMed XML has had: sets, single citations, books.

    libxml2's own limits stay on: a text of at most 10 MB and a depth of at most 256 elements.
    """

    name = "pubmed"
    source = "pubmed"

    def recognises(self, head: bytes) -> bool:
        """Whether the root element, or the document type, is one of PubMed's."""
        return sniff_root(head) in _ROOTS

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk citations and books in file order, each PMID of a `DeleteCitation` as a record of its own."""
        for element in _elements(stream):
            if element.tag == _DELETIONS:
                yield from (partial(_deletion, child) for child in element.iterchildren("PMID"))
            elif next(element.iterancestors(*_RECORDS), None) is None:
                yield partial(book_document if element.tag in _BOOKS else citation_document, element)
                _release(element)


def _elements(stream: ByteSource) -> Iterator[etree._Element]:
    """The finished elements that may be records, in file order; an inner one before the record that holds it."""
    parser = etree.XMLPullParser(
        events=("end",),
        tag=(*_RECORDS, _DELETIONS),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    unfinished = 0
    for chunk in _from_root(stream):
        error = _feed(parser, chunk)
        unfinished += len(chunk)
        for _, element in parser.read_events():
            unfinished = 0
            yield cast(etree._Element, element)
        if error is not None:
            raise error
        if unfinished > MAX_RECORD_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"a record takes more than {MAX_RECORD_BYTES} bytes")
    try:
        parser.close()
    except etree.XMLSyntaxError as failure:
        raise FileFault(RejectReason.TRUNCATED, f"XML ends early: {failure.msg}") from None


def _from_root(stream: ByteSource) -> Iterator[bytes]:
    yield read_prolog(stream, _ROOTS)
    yield from stream_chunks(stream)


def _feed(parser: etree.XMLPullParser, chunk: bytes) -> FileFault | None:
    """Parse a chunk; a fault is returned, not raised, because records that ended before it are still to be read."""
    try:
        parser.feed(chunk)
    except etree.XMLSyntaxError as failure:
        reason = _REASONS.get(failure.code, RejectReason.MALFORMED)  # type: ignore[attr-defined]
        return FileFault(reason, f"XML is damaged: {failure.msg}")
    # libxml2 stops at an undeclared entity without raising.
    for entry in parser.feed_error_log.filter_from_fatals():
        return FileFault(RejectReason.MALFORMED, f"XML is damaged: {entry.message}, line {entry.line}")
    return None


def _release(element: etree._Element) -> None:
    """Free all that stands before a finished record under the root; the record itself goes with the next one."""
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _deletion(pmid: etree._Element, origin: Origin) -> Deletion:
    identifier = required_pmid(pmid)
    return Deletion(
        doc_id=f"{origin.source}:{identifier}",
        source=origin.source,
        version=citation_version(pmid),
        input_file=origin.input_file,
        record_number=origin.record_number,
    )
