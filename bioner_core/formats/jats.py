"""JATS full text in its envelopes: a bare article, a `pmc-articleset`, an OAI-PMH reply, or a file of several articles.

Streamed: an article is dropped from the tree once its documents have been made. Tags are matched in any namespace.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from bioner_core.formats.contract import (
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    stream_chunks,
)
from bioner_core.formats.jats_article import article_id, jats_document
from bioner_core.formats.unknown_formats import is_publisher_xml
from bioner_core.formats.xml_prolog import read_prolog, sniff_root
from bioner_core.formats.xml_stream import OpenedXml, broken_document, elements_of_documents, release
from bioner_core.formats.xml_text import Element, child, local_name, text_of
from bioner_core.records import Deletion, RejectReason

_ARTICLE = "{*}article"
_HARVESTED = "{http://www.openarchives.org/OAI/2.0/}record"
_PARTS = ("{*}sub-article", "{*}response")
_ROOTS = frozenset({"article", "articles", "pmc-articleset", "OAI-PMH"})


class JatsReader(Reader):
    """Reads full text of PubMed Central and of publishers; each sub-article and response is a document of its own."""

    name = "jats"
    source = "pmc"

    def recognises(self, head: bytes) -> bool:
        """Whether the root element, or the document type, is one of the envelopes of JATS."""
        root = sniff_root(head)
        return root is not None and root.rpartition(":")[2] in _ROOTS and not is_publisher_xml(head)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the articles in file order, each followed by its sub-articles."""
        return article_records(stream)


def article_records(stream: ByteSource) -> Iterator[PendingRecord]:
    """The documents of a JATS file; an OAI-PMH record is a deletion, or a reject, if it holds no article.

    Raises:
        FileFault: after the last usable article, when the rest of the file cannot be read.
    """
    in_record = 0
    for element in elements_of_documents(stream, _opened, tags=(_ARTICLE, _HARVESTED)):
        if isinstance(element, FileFault):
            yield broken_document(element)
            continue
        if local_name(element) == "record":
            if not in_record:
                yield partial(_without_article, child(element, "{*}header"))
            in_record = 0
        elif next(element.iterancestors(_ARTICLE), None) is None:
            in_record += 1
            yield from _documents_of(element)
        else:
            continue
        release(element)


def _opened(stream: ByteSource) -> OpenedXml:
    prolog = read_prolog(stream, _ROOTS, namespaced=True).behind_doctype()
    return OpenedXml(chain((prolog.content,), stream_chunks(stream)), prolog.root)


def _documents_of(article: Element) -> Iterable[PendingRecord]:
    yield partial(jats_document, article, None)
    for number, part in enumerate(article.iter(*_PARTS), start=1):
        yield partial(jats_document, part, (article, number))


def _without_article(header: Element | None, origin: Origin) -> Deletion:
    """What an OAI-PMH record without an article says: that the article was withdrawn, or nothing of use."""
    identifier = text_of(child(header, "{*}identifier")).rpartition(":")[2]
    if header is None or header.get("status") != "deleted" or not identifier:
        raise RecordFault(RejectReason.NO_TEXT, f"the OAI-PMH record {identifier!a} holds no article")
    return Deletion(
        doc_id=article_id(origin.source, (("pmc", identifier),)),
        source=origin.source,
        version=1,
        input_file=origin.input_file,
        record_number=origin.record_number,
    )
