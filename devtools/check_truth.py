"""Passages against the files' own leaf elements: `python -m devtools.check_truth --shared FOLDER`.

The files are walked without any code of the readers: lxml alone, and the elements below, which docs/formats.md names as
not read. Each text between two tags must stand in a passage, and all passages of a document together must have the same
characters as all such texts, no more and no fewer.
"""

import argparse
import gzip
import html
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lxml import etree

from bioner_core.documents import Document
from bioner_core.errors import EXIT_FAILED
from bioner_core.formats.reader import read_records
from jobs.terminal.console import say_error

XML_KINDS = (
    "pubmed_set",
    "pubmed_book",
    "pubmed_efetch_single",
    "pubmed_edge",
    "pubmed_update_pair",
    "jats",
    "jats_oai",
)
"""The folders of dumps of JATS and PubMed XML."""

EXPLAINED: dict[tuple[str, str], str] = {}
"""Why the passages of a document, by its file's name and its id, are not what its file says."""

_UNREAD = frozenset(
    {
        "label", "object-id", "alt-text", "long-desc", "graphic", "inline-graphic", "permissions", "ref-list", "ref",
        "processing-meta", "sec-meta", "annotation", "annotation-xml", "milestone-start", "milestone-end", "rp",
        "journal-meta", "alt-title", "sub-article", "response",
    }
)  # fmt: skip
_READ_OF_META = frozenset({"title-group", "abstract", "trans-abstract"})
_FORMS = ("table", "math", "tex-math", "textual-form")
_JATS_DOCUMENTS = ("{*}article", "{*}sub-article", "{*}response")
_PUBMED_DOCUMENTS = ("PubmedArticle", "MedlineCitation", "PubmedBookArticle", "BookDocument")
_PUBMED_TEXTS = ("ArticleTitle", "BookTitle", "AbstractText", "VernacularTitle")
_NO_TITLES = frozenset({"inprocesscitation", "notavailable"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """A document and its file's own leaf elements; `what` says how they differ, and is empty where they do not."""

    file: str
    doc_id: str
    what: str


def comparisons(path: Path) -> Iterator[Comparison]:
    """Compare the passages of each document of a file with its leaf elements; nothing of a file that is not XML."""
    content = path.read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True))
    except etree.XMLSyntaxError:
        return
    records = {one.meta.record_number: one for one in read_records(str(path)) if isinstance(one, Document)}
    for number, element in enumerate(_documents(root)):
        if number in records:
            document = records[number]
            yield Comparison(path.name, document.doc_id, _difference(list(leaves_of(element)), document))


def leaves_of(element: etree._Element) -> Iterator[str]:
    """The texts between two tags of a document, without blanks, but for those that are not read."""
    leaves = _jats_leaves(element) if _name(element)[:1].islower() else _pubmed_leaves(element)
    return (leaf for text in leaves if (leaf := _dense(text)))


def _documents(root: etree._Element) -> Iterator[etree._Element]:
    """The elements that are documents of their own, in file order."""
    yield from root.iter(*_JATS_DOCUMENTS)
    for element in root.iter(*_PUBMED_DOCUMENTS):
        if next(element.iterancestors(*_PUBMED_DOCUMENTS), None) is None:
            yield element


def _difference(leaves: Sequence[str], document: Document) -> str:
    """What of a document differs; empty where nothing does."""
    given = _dense("\n".join(passage.text for passage in document.passages))
    if missing := [leaf for leaf in leaves if leaf not in given]:
        return f"{len(missing)} texts are in no passage, the first is {missing[0][:60]!a}"
    truth, found = Counter("".join(leaves)), Counter(given)
    lost, added = (truth - found).total(), (found - truth).total()
    return f"{lost} characters are lost, {added} are there too often" if lost or added else ""


def _pubmed_leaves(record: etree._Element) -> Iterator[str]:
    titles = ["".join(map(str, node.itertext())) for node in record.iter("ArticleTitle")]
    for part in record.iter(*_PUBMED_TEXTS):
        above = {_name(node) for node in part.iterancestors()}
        is_no_title = part.tag == "ArticleTitle" and _letters("".join(map(str, part.itertext()))) in _NO_TITLES
        is_spare = part.tag == "BookTitle" and any(title.strip() for title in titles)
        if not (is_no_title or is_spare or above & {"ReferenceList", "CommentsCorrectionsList", "PubmedData"}):
            yield from _all_leaves(part)


def _all_leaves(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for node in element:
        yield from (_character(node),) if node.tag is etree.Entity else _all_leaves(node)
        yield node.tail or ""


def _jats_leaves(element: etree._Element) -> Iterator[str]:
    yield _tex_body(element.text or "") if _name(element) == "tex-math" else element.text or ""
    for node in element:
        if node.tag is etree.Entity:
            yield _character(node)
        elif not _is_unread(node, element):
            yield from _jats_leaves(node)
        yield node.tail or ""


def _is_unread(node: etree._Element, parent: etree._Element) -> bool:
    """Whether docs/formats.md says that an element is not read, there where it stands."""
    name, above = _name(node), _name(parent)
    if name in _UNREAD or (above in ("article-meta", "front-stub") and name not in _READ_OF_META):
        return True
    if name == "title" and above != "caption":
        return any(_name(one) in ("abstract", "trans-abstract") for one in node.iterancestors())
    names = [_name(one) for one in parent]
    if above == "alternatives":
        readable = [one for one in names if one not in _UNREAD]
        best = next((form for form in _FORMS if form in names), readable[0] if readable else "")
        return name != best or parent.index(node) != names.index(best)
    return name == "tex-math" and "math" in names


def _tex_body(text: str) -> str:
    body = text.partition("\\begin{document}")[2].rpartition("\\end{document}")[0]
    return body or text


def _name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _character(entity: etree._Element) -> str:
    return html.unescape(str(entity.text))


def _dense(text: str) -> str:
    return "".join(text.split())


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text)).lower()


def _paths(shared: Path | None) -> list[Path]:
    """The samples that ship, and the dumps where there are some."""
    samples = [Path(str(one)) for one in files("bioner_core.samples").iterdir() if one.name.endswith((".xml", ".nxml"))]
    dumps = [path for kind in XML_KINDS for path in (shared / "dumps" / kind).glob("*")] if shared is not None else []
    return sorted(samples) + sorted(dumps)


def main(words: Sequence[str]) -> int:
    """Print what differs and why; 1 if anything differs without a reason."""
    parser = argparse.ArgumentParser(prog="python -m devtools.check_truth", description=__doc__)
    parser.add_argument("--shared", type=Path, help="folder that holds dumps/ (default: $BIONER_SHARED, else none)")
    named = parser.parse_args(words).shared or os.environ.get("BIONER_SHARED")
    paths = _paths(Path(named) if named else None)
    compared = [one for path in paths for one in comparisons(path)]
    found = [one for one in compared if one.what]
    for one in found:
        reason = EXPLAINED.get((one.file, one.doc_id), "")
        say_error(f"{one.file}: {one.doc_id}: {one.what}" + (f" (as it should be: {reason})" if reason else ""))
    unexplained = [one for one in found if (one.file, one.doc_id) not in EXPLAINED]
    print(f"{len(compared)} documents of {len(paths)} files: {len(found)} differ, {len(unexplained)} without a reason")
    return EXIT_FAILED if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
