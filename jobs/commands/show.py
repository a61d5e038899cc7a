"""`bioner show`: one document with its mentions drawn over the text."""

from pathlib import Path
from typing import Annotated

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.viewer.page import render_page
from jobs.options.common import Json, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result, require_folder_of
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.document_view import print_document
from jobs.terminal.mention_table import as_object

HELP = """
Show the newest version of a document with its mentions as lines over the text: in the terminal, or as a page.

\b
Example:
  bioner show pubmed:90000012 --store my-store --html page.html
"""

_SOURCES = ("pmc", "cnki", "jsonl", "bioc", "pubtator", "ris", "text")

Document = Annotated[str, typer.Argument(metavar="DOC", help="Id of the document, such as pubmed:90000012.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write one self-contained HTML file instead.")]
Rejected = Annotated[bool, typer.Option("--rejected", help="In the terminal, also what the selector turned down.")]


def show(
    document: Document, store: StoreOption, html: Html = None, rejected: Rejected = False, as_json: Json = False
) -> int:
    """Show a document; returns the exit code."""
    with only_results_on_stdout():
        require_store_to_show(store)
        found, origin = _found(store, document)
        if html is not None:
            require_folder_of(html, option="--html")
            _write_page(found, origin, html)

    def to_terminal() -> None:
        if html is None:
            print_document(found, rejected=rejected)
        else:
            accepted = sum(one.accepted for one in found.mentions)
            print(f"{html}: {found.document.doc_id}, {spoken_count(accepted, 'mention')}")

    print_result(as_object(found) | {"origin": origin}, as_json=as_json, show=to_terminal)
    return 0


def _found(store: Store, doc_id: str) -> tuple[DocumentMentions, str]:
    newest = open_newest(store)
    found = newest.document(doc_id)
    if found is None:
        meant = next((one for one in _likely_ids(doc_id) if newest.document(one) is not None), None)
        hint = f"Did you mean {meant}?" if meant else "`bioner mentions` shows some ids"
        raise ConfigurationError(
            f"DOC: {doc_id!r} is not in the newest state of the store ({newest.origin}); it was never annotated, its "
            f"source withdrew it, or another record of its article is newer. {hint}"
        )
    return found, newest.origin


def _likely_ids(text: str) -> list[str]:
    """Ids that somebody may have meant who left out the source, or wrote it otherwise."""
    bare = text.rpartition(":")[2].strip()
    number = bare.upper().removeprefix("PMC")
    return [f"pubmed:{bare}", f"pmc:PMC{number}", *(f"{source}:{bare}" for source in _SOURCES)]


def _write_page(found: DocumentMentions, origin: str, path: Path) -> None:
    write_text(path, render_page(found, origin=origin))
