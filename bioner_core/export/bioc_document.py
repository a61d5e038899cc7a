"""A document as BioC has it: passages with offsets, annotations, and a relation for each mention inside another.

Offsets count Unicode code points from the start of the document; one separator stands between two passages. The plain
object made here is what BioC JSON holds; BioC XML has the same content as elements.
"""

from collections.abc import Mapping
from typing import Any

from bioner_core.documents import Document, Passage
from bioner_core.export.provenance import Provenance
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions, MentionConcept

SOURCE = "bioner"
KEY = "bioner.key"

_DATABASES = {"MESH": "ncbi_mesh", "NCBIGene": "ncbi_gene", "NCBITaxon": "ncbi_taxonomy"}
"""What PubTator 3 calls the vocabularies that it links to."""

BiocObject = dict[str, Any]


def bioc_date(provenance: Provenance) -> str:
    """The date of a collection: that of the newest commit, YYYYMMDD."""
    return provenance.newest_commit[:10].replace("-", "")


def bioc_document(found: DocumentMentions) -> BiocObject:
    """The document with its id, infons and passages."""
    by_passage: dict[int, list[Mention]] = {}
    for mention in found.mentions:
        by_passage.setdefault(mention.passage_index, []).append(mention)
    passages, offset = [], 0
    for index, passage in enumerate(found.document.passages):
        passages.append(_passage(passage, offset, by_passage.get(index, []), found.concepts))
        offset += len(passage.text) + 1
    return {
        "id": found.document.doc_id,
        "infons": _infons(found.document, found.fingerprint),
        "passages": passages,
        "annotations": [],
        "relations": [],
    }


def _infons(document: Document, fingerprint: str) -> dict[str, str]:
    meta = document.meta
    infons = {
        "source": document.source,
        "version": str(document.version),
        "language": document.lang,
        "journal": meta.journal,
        "year": meta.year,
        **{f"article-id_{kind}": value for kind, value in meta.ids},
        "input_file": meta.input_file,
        "record_number": str(meta.record_number),
        "model_fingerprint": fingerprint,
    }
    return {key: value for key, value in infons.items() if value}


def _passage(
    passage: Passage, offset: int, mentions: list[Mention], concepts: Mapping[str, MentionConcept]
) -> BiocObject:
    infons = {"type": passage.section, "section_type": passage.label, "language": passage.lang}
    return {
        "offset": offset,
        "infons": {key: value for key, value in infons.items() if value},
        "text": passage.text,
        "sentences": [],
        "annotations": [_annotation(one, offset, concepts.get(one.mention_id)) for one in mentions],
        "relations": [_nested_in(one) for one in mentions if one.parent_id is not None],
    }


def _annotation(mention: Mention, offset: int, concept: MentionConcept | None) -> BiocObject:
    return {
        "id": mention.mention_id,
        "infons": {
            "type": mention.type,
            **_identifiers(concept),
            "label_set": mention.label_set,
            "selector_score": repr(mention.selector_score),
            "tag_score": repr(mention.tag_score),
            "accepted": "true" if mention.accepted else "false",
        },
        "locations": [{"offset": offset + mention.start, "length": mention.end - mention.start}],
        "text": mention.text,
    }


def _identifiers(concept: MentionConcept | None) -> dict[str, str]:
    """The concept under the names that PubTator 3 gives to such infons."""
    if concept is None:
        return {}
    prefix, _, local = concept.concept_id.partition(":")
    database = _DATABASES.get(prefix, prefix.lower())
    return {"identifier": concept.concept_id, "normalized_id": local, "database": database, "name": concept.name}


def _nested_in(mention: Mention) -> BiocObject:
    nodes = [{"refid": mention.mention_id, "role": "inner"}, {"refid": mention.parent_id, "role": "outer"}]
    return {"id": f"nested:{mention.mention_id}", "infons": {"type": "nested-in"}, "nodes": nodes}
