"""Mentions of a few documents of a store, nested ones indented under what encloses them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from jobs.terminal.result_console import result_console


def as_object(one: DocumentMentions) -> dict[str, Any]:
    """The document's name and its mentions, for `--json`."""
    document = one.document
    return {
        "doc_id": document.doc_id,
        "version": document.version,
        "lang": document.lang,
        "mentions": [asdict(mention) for mention in one.mentions],
    }


def some_documents(store: Store, *, limit: int, nested_only: bool, accepted_only: bool) -> list[DocumentMentions]:
    """At most `limit` newest documents that have mentions; the sources take turns, so that each shows some of its own.

    Reads no more of them than it needs.

    Raises:
        StoreError: a manifest or a file is damaged or of a newer schema version.
    """
    queues = list(open_newest(store).by_source().values())
    found = (_accepted(one) if accepted_only else one for one in _in_turns(queues))
    wanted = (one for one in found if one.mentions and (one.has_nesting or not nested_only))
    return sorted(islice(wanted, limit), key=lambda one: (one.document.source, one.document.doc_id))


def print_mentions(documents: Sequence[DocumentMentions]) -> None:
    """Print a table per document to standard output."""
    console = result_console()
    for one in documents:
        console.print(_table(one))


def printable(text: str) -> str:
    """The text with every control or format character spelled out, so that a dump cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _in_turns(queues: Sequence[Iterator[DocumentMentions]]) -> Iterator[DocumentMentions]:
    waiting = list(queues)
    while waiting:
        for queue in list(waiting):
            found = next(queue, None)
            if found is None:
                waiting.remove(queue)
            else:
                yield found


def _accepted(one: DocumentMentions) -> DocumentMentions:
    return replace(one, mentions=tuple(mention for mention in one.mentions if mention.accepted))


def _table(one: DocumentMentions) -> Table:
    document = one.document
    title = next((passage.text for passage in document.passages), "")
    heading = Text(f"{printable(document.doc_id)}  {printable(title)}", overflow="ellipsis", no_wrap=True)
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("mention", ratio=1)
    for name in ("type", "label set", "section"):
        table.add_column(name)
    for name in ("passage", "from", "to", "tag", "selector", "accepted"):
        table.add_column(name, justify="right")
    for mention in one.mentions:
        table.add_row(*_cells(mention), style=None if mention.accepted else "dim")
    table.add_row()
    return table


def _cells(mention: Mention) -> list[Text]:
    indent = "  " * mention.depth + ("└ " if mention.depth else "")
    words = (
        indent + printable(mention.text),
        mention.type,
        mention.label_set,
        mention.section,
        str(mention.passage_index),
        str(mention.start),
        str(mention.end),
        f"{mention.tag_score:.1f}",
        f"{mention.selector_score:.2f}",
        "yes" if mention.accepted else "no",
    )
    return [Text(word) for word in words]
