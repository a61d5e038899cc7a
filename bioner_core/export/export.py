"""One export of the newest state of a store, in one of the formats by name, with a report beside it."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import bioner_core
from bioner_core.errors import ConfigurationError
from bioner_core.export.bioc import BIOC_JSON, BIOC_XML
from bioner_core.export.brat import export_brat
from bioner_core.export.conll import CONLL
from bioner_core.export.jsonl import JSONL
from bioner_core.export.kgx import export_kgx, export_neo4j
from bioner_core.export.provenance import Provenance, Selection, Tally
from bioner_core.export.pubtator import PUBTATOR
from bioner_core.linking.link_table import LINKED, compare_links, current_links
from bioner_core.linking.linked_documents import with_concepts
from bioner_core.store.atomic import write_text
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.history.model_notes import chosen_fingerprint
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.store.state_facts import shard_facts, state_in_words


class Exporter(Protocol):
    """Writes documents in one format; what comes in is selected already, and is read once."""

    def __call__(
        self, documents: Iterable[DocumentMentions], output: Path, *, provenance: Provenance, tally: Tally
    ) -> None:
        """Write a file or a folder, whole or not at all.

        Raises:
            ConfigurationError: `output` cannot be used.
            StoreError: the disk refuses.
        """
        ...


FORMATS: dict[str, Exporter] = {
    "bioc-xml": BIOC_XML,
    "bioc-json": BIOC_JSON,
    "pubtator": PUBTATOR,
    "brat": export_brat,
    "jsonl": JSONL,
    "conll": CONLL,
    "kgx": export_kgx,
    "neo4j": export_neo4j,
}

_FOR_IMPORTERS = "for importers: texts stand as they are, and a spreadsheet would run those that begin with = + - or @"

NOTES = {
    "conll": "flat: of mentions that share a character the longest is kept, and left_out_mentions counts the others",
    "brat": "annotation offsets count the .txt file, whose passages are one line each",
    "kgx": _FOR_IMPORTERS,
    "neo4j": _FOR_IMPORTERS,
    "pubtator": "offsets count title, one separator, and all other passages joined by blanks",
}
"""What a reader of an export must know of its format."""


def export_store(
    store: Store,
    output: Path,
    *,
    format_name: str,
    selection: Selection,
    on_document: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Write the newest version of each document, and `<output>.export.json` with provenance and counts; returns those.

    Memory does not grow with the store. `on_document` is called once per document.

    Raises:
        ConfigurationError: the format is unknown, no shard was annotated with that label set, or `output` is in use.
        StoreError: the store is damaged, or `output` cannot be written.
    """
    if format_name not in FORMATS:
        raise ConfigurationError(f"--format: {format_name!r} is not one of {', '.join(FORMATS)}")
    newest = open_newest(store)
    facts = shard_facts(newest)
    if selection.fingerprint is not None:
        chosen = chosen_fingerprint(store, selection.fingerprint, known=facts.fingerprints)
        selection = replace(selection, fingerprint=chosen)
    if selection.label_set is not None and selection.label_set not in facts.label_sets:
        has = ", ".join(sorted(facts.label_sets)) or "none"
        raise ConfigurationError(
            f"--label-set: {selection.label_set!r} is not in {state_in_words(newest)}; it has: {has}"
        )
    provenance = Provenance(newest.origin, facts.newest_commit, bioner_core.__version__, selection)
    tally = Tally()

    if (page := current_links(store)) is not None:
        compare_links(store, page, tables=["links", LINKED])

    def selected() -> Iterator[DocumentMentions]:
        for found in with_concepts(store, newest.documents()):
            on_document()
            if selection.fingerprint in (None, found.fingerprint):
                yield selection.of(found)

    FORMATS[format_name](tally.counting(selected()), output, provenance=provenance, tally=tally)
    report = {"format": format_name, "output": output.name, **provenance.facts, **tally.as_object()}
    if format_name in NOTES:
        report["note"] = NOTES[format_name]
    write_text(output.with_name(f"{output.name}.export.json"), json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return report
