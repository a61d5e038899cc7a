"""JSON lines with nested entities: one object per document, each mention inside its parent's `children`.

The passages and `meta` are bioner's own form, so that `bioner annotate` reads such a file as input.
"""

import json
from typing import Any

from bioner_core.documents import Document, Passage
from bioner_core.export.output import TextFile
from bioner_core.export.provenance import Tally
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions

_FIELDS = ("start", "end", "text", "type", "label_set", "sentence_index", "tag_score", "selector_score", "accepted")


def _line(found: DocumentMentions, _: Tally) -> str:
    document = found.document
    roots = _roots(found)
    passages = [_passage(one, roots.get(index, [])) for index, one in enumerate(document.passages)]
    content = {
        "doc_id": document.doc_id,
        "source": document.source,
        "version": document.version,
        "lang": document.lang,
        "model_fingerprint": found.fingerprint,
        "meta": _meta(document),
        "passages": passages,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _meta(document: Document) -> dict[str, Any]:
    meta = document.meta
    return {
        "ids": dict(meta.ids),
        "journal": meta.journal,
        "year": meta.year,
        "keywords": meta.keywords,
        "input_file": meta.input_file,
        "record_number": meta.record_number,
    }


def _passage(passage: Passage, entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "section": passage.section,
        "label": passage.label,
        "lang": passage.lang,
        "text": passage.text,
        "entities": entities,
    }


def _roots(found: DocumentMentions) -> dict[int, list[dict[str, Any]]]:
    """The mentions of each passage that lie in no other one, the others inside them."""
    objects = {one.mention_id: _entity(one) for one in found.mentions}
    roots: dict[int, list[dict[str, Any]]] = {}
    for one in found.mentions:
        parent = objects.get(one.parent_id) if one.parent_id is not None else None
        siblings = roots.setdefault(one.passage_index, []) if parent is None else parent["children"]
        siblings.append(objects[one.mention_id])
    return roots


def _entity(mention: Mention) -> dict[str, Any]:
    fields = {name: getattr(mention, name) for name in _FIELDS}
    return {"id": mention.mention_id, **fields, "children": []}


JSONL = TextFile(_line)
"""The exporter."""
