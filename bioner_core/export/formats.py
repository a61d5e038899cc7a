"""The formats of `bioner export`, by name."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from bioner_core.export.bioc_json import BIOC_JSON
from bioner_core.export.bioc_xml import BIOC_XML
from bioner_core.export.brat import export_brat
from bioner_core.export.conll import CONLL
from bioner_core.export.jsonl import JSONL
from bioner_core.export.kgx import export_kgx, export_neo4j
from bioner_core.export.provenance import Provenance, Tally
from bioner_core.export.pubtator import PUBTATOR
from bioner_core.store.document_mentions import DocumentMentions


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

NOTES = {
    "conll": "flat: of mentions that share a character the longest is kept, and left_out_mentions counts the others",
    "brat": "annotation offsets count the .txt file, whose passages are one line each",
    "pubtator": "offsets count title, one separator, and all other passages joined by blanks",
}
"""What a reader of an export must know of its format."""
