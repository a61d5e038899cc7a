"""PubTator text: `id|t|title`, `id|a|abstract`, one line per mention, a blank line.

Offsets count code points of title, one separator, abstract. Whatever is not the first title is the abstract: passages
in their order, one blank between them. Blanks at the end of the title are left out, since readers strip the line.
"""

import re
from collections.abc import Iterator

from bioner_core.documents import Document
from bioner_core.export.output import TextFile
from bioner_core.export.provenance import Tally, one_line
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions

NO_CONCEPT = "-"
"""Stands where the format has the id of a concept, for a mention that is linked to none."""

_BARE = ("NCBIGene:", "NCBITaxon:")
"""Prefixes that the format leaves out: genes and species are numbers there."""

_TITLE = "title"
# readers look for the first of these in a line, whatever comes before it
_MARKS = re.compile(r"\|(?=[ta]\|)|(?<=\|[ta])\|")
_NO_ID = re.compile(r"[\s|]")


def _document(found: DocumentMentions, tally: Tally) -> str:
    name = _name(found.document)
    order = _order(found.document)
    texts = [_held(found.document.passages[index].text, tally) for index in order]
    has_title = bool(order) and found.document.passages[order[0]].section == _TITLE
    title = texts[0].rstrip() if has_title else ""
    starts = dict(zip(order, _starts(title, texts[1:] if has_title else texts, has_title=has_title), strict=True))
    whole = dict(zip(order, texts, strict=True))
    lines = [f"{name}|t|{title}", f"{name}|a|{' '.join(texts[1:] if has_title else texts)}"]
    for one in found.mentions:
        place, text = starts[one.passage_index], whole[one.passage_index][one.start : one.end]
        span = f"{place + one.start}\t{place + one.end}\t{text}"
        lines.append(f"{name}\t{span}\t{one_line(one.type, tally)}\t{_identifier(found, one)}")
    return "\n".join(lines) + "\n\n"


def _identifier(found: DocumentMentions, mention: Mention) -> str:
    concept = found.concepts.get(mention.mention_id)
    if concept is None:
        return NO_CONCEPT
    prefix = next((one for one in _BARE if concept.concept_id.startswith(one)), "")
    return concept.concept_id.removeprefix(prefix)


def _order(document: Document) -> list[int]:
    """The passages as the file has them: the first title, then the others in their order."""
    title = next((index for index, one in enumerate(document.passages) if one.section == _TITLE), None)
    others = [index for index in range(len(document.passages)) if index != title]
    return others if title is None else [title, *others]


def _starts(title: str, abstract: list[str], *, has_title: bool) -> Iterator[int]:
    if has_title:
        yield 0
    offset = len(title) + 1
    for text in abstract:
        yield offset
        offset += len(text) + 1


def _held(text: str, tally: Tally) -> str:
    line, times = _MARKS.subn("¦", one_line(text, tally))
    tally.replaced_characters += times
    return line


def _name(document: Document) -> str:
    """The PMID of a PubMed record, since the format's tools expect one; of others the whole id."""
    name = document.doc_id.removeprefix("pubmed:")
    return _NO_ID.sub("_", name)


PUBTATOR = TextFile(_document)
"""The exporter."""
