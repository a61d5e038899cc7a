"""The records of PubMed files whose PMIDs are in a list: a filter over files at hand, nothing is downloaded."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from lxml import etree

from bioner_core.errors import InputError, cause_of
from bioner_core.formats.contract import ByteSource, FileFault, stream_chunks
from bioner_core.formats.identifiers import normal_pmid
from bioner_core.formats.inputs import public_name
from bioner_core.formats.stream import DumpStream, opened
from bioner_core.formats.xml_prolog import read_prolog, sniff_root
from bioner_core.formats.xml_stream import OpenedXml, elements_of_documents, release
from bioner_core.formats.xml_text import Element, path, text_of

_RECORDS = ("PubmedArticle", "PubmedBookArticle")
_ROOTS = frozenset({"PubmedArticleSet", "PubmedBookArticleSet", *_RECORDS})
_BETWEEN = re.compile(r"[\s,;]+")
_PREFIX = re.compile(r"pmid:?\s*|pubmed:", re.IGNORECASE)


def listed_pmids(file: Path) -> frozenset[str]:
    """The PMIDs of a list: parted by blanks, line ends or commas, each bare or as `PMID:123` or `pubmed:123`.

    Raises:
        InputError: the list cannot be read, is empty, or holds something that is no PMID.
    """
    try:
        words = _BETWEEN.split(_PREFIX.sub("", file.read_text(encoding="utf-8-sig")).strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as a list of PMIDs ({cause_of(error)})") from error
    if strange := [word for word in words if not word.isdecimal() or not normal_pmid(word)]:
        raise InputError(f"{file}: {strange[0]!a} is no PMID; a list has numbers only, parted by blanks or line ends")
    return frozenset(map(normal_pmid, words))


def selected_records(files: Iterable[str], pmids: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """The PMID and the XML of each listed record, file by file, all versions of it.

    Raises:
        InputError: a file cannot be read to its end, or is no set of PubMed records.
    """
    for file in files:
        try:
            with opened(file) as raw:
                yield from _of_one(DumpStream(raw), pmids)
        except FileFault as fault:
            raise InputError(f"{public_name(file)}: {fault}") from None


def _of_one(stream: DumpStream, pmids: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    if sniff_root(stream.head) not in _ROOTS:
        raise InputError("of the files that are named only PubMed XML can be searched for PMIDs")
    for element in elements_of_documents(stream, _opened, tags=_RECORDS):
        if isinstance(element, FileFault):
            raise element
        pmid = _pmid(element)
        if pmid in pmids:
            yield pmid, etree.tostring(element, encoding="utf-8", with_tail=False)
        release(element)


def _opened(stream: ByteSource) -> OpenedXml:
    prolog = read_prolog(stream, _ROOTS).behind_doctype()
    return OpenedXml(chain((prolog.content,), stream_chunks(stream)), prolog.root)


def _pmid(record: Element) -> str:
    inner = "MedlineCitation" if record.tag == "PubmedArticle" else "BookDocument"
    return normal_pmid(text_of(path(record, inner, "PMID")))
