"""BioC JSON: one collection object, a document a line."""

import json

from bioner_core.export.bioc_document import KEY, SOURCE, bioc_date, bioc_document
from bioner_core.export.provenance import Provenance, Tally
from bioner_core.export.text_file import TextFile
from bioner_core.store.document_mentions import DocumentMentions


def _opening(provenance: Provenance) -> str:
    head = {"source": SOURCE, "date": bioc_date(provenance), "key": KEY, "version": "1.0", "infons": provenance.facts}
    return json.dumps(head, ensure_ascii=False)[:-1] + ', "documents": [\n'


def _document(found: DocumentMentions, _: Tally) -> str:
    return json.dumps(bioc_document(found), ensure_ascii=False)


BIOC_JSON = TextFile(_document, opening=_opening, separator=",\n", closing="\n]}\n")
"""The exporter."""
