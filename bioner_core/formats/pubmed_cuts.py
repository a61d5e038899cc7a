"""What a PubMed file holds that needs no parser, cut out of its bytes before they are parsed.

Authors, dates of handling and references, which nobody here reads, are more than half of a file; headings are most of
the rest's elements (`pubmed_cut_headings`). A list is cut only where that cannot change what is read: inside one
finished article, in a file without comments and CDATA sections up to there (so that a tag in the bytes is a tag), and
if its start and end tags are equal in number. Anything else is parsed whole. NLM's DTD allows none of the unread lists
inside a title or an abstract.
"""

import re
from collections.abc import Iterable, Iterator

from bioner_core.formats.contract import FileFault
from bioner_core.formats.pubmed_cut_headings import CUT_LISTS, CutHeadings

MOST_HELD_BYTES = 1024 * 1024
"""How long an article may be to be cut; a longer one ends the cutting of its file."""

_ARTICLE_END = b"</PubmedArticle>"
_INSTRUCTION = re.compile(rb"<\?(?!xml)[a-z_][\w.-]*(?:\s.*?)?\?>", re.DOTALL | re.IGNORECASE)
_AFTER_NAME = b"> \t\r\n"
# In the order in which they stand in an article, and whether what they hold is kept.
_LISTS = tuple(
    (b"<" + name, b"</" + name + b">", name if name in CUT_LISTS else b"")
    for name in (
        b"DateCompleted",
        b"DateRevised",
        b"Pagination",
        b"AuthorList",
        *CUT_LISTS,
        b"History",
        b"ReferenceList",
    )
)


def without_lists(pieces: Iterable[bytes], headings: CutHeadings) -> Iterator[bytes]:
    """The bytes of the root element of a `PubmedArticleSet`, ASCII-compatible or not, without what needs no parser.

    `headings` takes the lists of headings, and has them for the records.

    Raises:
        FileFault: as `pieces` do, after all bytes before the fault have been given out.
    """
    rest = iter(pieces)
    held = b""
    try:
        for piece in rest:
            held += piece
            end = held.rfind(_ARTICLE_END) + len(_ARTICLE_END)
            if len(held) - end > MOST_HELD_BYTES:
                break
            if end >= len(_ARTICLE_END):
                articles, after = held[:end], held[end:]
                if _has(articles, b"?"):
                    articles = _INSTRUCTION.sub(b"", articles)
                    if b"<?" in articles:
                        break
                # A comment or a CDATA section: what looks like a tag in it is none.
                if _has(articles, b"!"):
                    break
                yield _lightened(articles, headings)
                held = after
    except FileFault:
        yield held
        raise
    yield held
    yield from rest


def _has(articles: bytes, mark: bytes) -> bool:
    """Whether `<` stands before a mark; the mark alone is looked for first, which is many times faster."""
    return mark in articles and b"<" + mark in articles


def _lightened(articles: bytes, headings: CutHeadings) -> bytes:
    """Whole articles without the lists that need no parser."""
    kept: list[bytes] = []
    at = 0
    while (end := articles.find(_ARTICLE_END, at)) >= 0:
        for opening, closing, tag in _LISTS:
            start = articles.find(opening, at, end)
            stop = articles.find(closing, start, end) if start >= 0 else -1
            if stop < 0 or articles[start + len(opening)] not in _AFTER_NAME:
                continue
            behind = stop + len(closing)
            left = headings.taken(tag, articles[start:behind]) if tag else _nothing_left(articles, start, stop)
            if left is not None:
                kept += articles[at:start], left
                at = behind
        kept.append(articles[at : end + len(_ARTICLE_END)])
        at = end + len(_ARTICLE_END)
    return b"".join(kept)


def _nothing_left(content: bytes, start: int, stop: int) -> bytes | None:
    """Nothing, where start and end tags are equal in number: no list in a list, no empty tag, nothing lost in it."""
    return b"" if content.count(b"<", start, stop) == 2 * content.count(b"</", start, stop) + 1 else None
