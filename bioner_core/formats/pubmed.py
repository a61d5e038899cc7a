"""PubMed XML: baseline and update files, efetch replies, and single citations cut out of them.

Streamed: each citation is dropped from the tree, with all before it, once it has been turned into a document.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

from bioner_core.documents import Heading
from bioner_core.formats.contract import ByteSource, FileFault, Origin, PendingRecord, Reader, stream_chunks
from bioner_core.formats.pubmed_citation import book_document, citation_document, citation_version, required_pmid
from bioner_core.formats.pubmed_cut_headings import CutHeadings
from bioner_core.formats.pubmed_cuts import without_lists
from bioner_core.formats.xml_prolog import read_prolog, sniff_root
from bioner_core.formats.xml_stream import OpenedXml, broken_document, elements_of_documents, release
from bioner_core.formats.xml_text import Element
from bioner_core.records import Deletion

_CITATIONS = ("PubmedArticle", "MedlineCitation")
_BOOKS = ("PubmedBookArticle", "BookDocument")
_RECORDS = _CITATIONS + _BOOKS
_DELETIONS = ("DeleteCitation", "DeleteDocument")
_MAIN_ROOT = "PubmedArticleSet"
_ROOTS = frozenset({_MAIN_ROOT, "MedlineCitationSet", "PubmedBookArticleSet", "BookDocumentSet", *_RECORDS})


class PubmedReader(Reader):
    """Reads every root that PubMed XML has had: sets, single citations, books."""

    name = "pubmed"
    source = "pubmed"

    def recognises(self, head: bytes) -> bool:
        """Whether the root element, or the document type, is one of PubMed's."""
        return sniff_root(head) in _ROOTS

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk citations and books in file order, each PMID of a `DeleteCitation` as a record of its own."""
        cut = CutHeadings()
        for element in elements_of_documents(stream, partial(_opened, cut), tags=(*_RECORDS, *_DELETIONS)):
            if isinstance(element, FileFault):
                yield broken_document(element)
            elif element.tag in _DELETIONS:
                yield from (partial(_deletion, pmid) for pmid in element.iterchildren("PMID"))
            elif not _inside_record(element):
                yield _pending(element, cut.of_record(element))
                release(element)


def _pending(element: Element, cut: Mapping[str, tuple[Heading, ...]]) -> PendingRecord:
    return partial(book_document, element) if element.tag in _BOOKS else partial(citation_document, element, cut)


def _inside_record(element: Element) -> bool:
    # A loop, since `iterancestors` with tags costs several times as much for so few ancestors.
    parent = element.getparent()
    while parent is not None and parent.tag not in _RECORDS:
        parent = parent.getparent()
    return parent is not None


def _opened(cut: CutHeadings, stream: ByteSource) -> OpenedXml:
    prolog = read_prolog(stream, _ROOTS).behind_doctype()
    start = (prolog.content[: prolog.root_at],)
    body: Iterator[bytes] = chain((prolog.content[prolog.root_at :],), stream_chunks(stream))
    cut.begin_document(start[0])
    lighter = without_lists(body, cut) if prolog.root == _MAIN_ROOT else body
    return OpenedXml(chain(start, lighter), prolog.root)


def _deletion(pmid: Element, origin: Origin) -> Deletion:
    identifier = required_pmid(pmid)
    return Deletion(
        doc_id=f"{origin.source}:{identifier}",
        source=origin.source,
        version=citation_version(pmid),
        input_file=origin.input_file,
        record_number=origin.record_number,
    )
