"""Gold records written in each form, by bioner's own exporters where there is one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioner_core.documents import Document, Passage
from bioner_core.export.export import FORMATS
from bioner_core.export.provenance import Provenance, Selection, Tally
from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Candidate, Mention, Span, depths, parent_indices
from bioner_core.store.document_mentions import DocumentMentions

PROVENANCE = Provenance("shards", "2026-01-01T00:00:00Z", "0", Selection())


def as_found(record: GoldRecord, *sections: str) -> DocumentMentions:
    """A record as what a store would hold of it: one passage for each paragraph."""
    texts = record.text.split("\n\n") if sections else [record.text]
    names = sections or ("text",)
    passages = tuple(Passage(name, "", record.lang, text) for name, text in zip(names, texts, strict=True))
    document = Document(record.record_id, record.record_id.partition(":")[0], 1, record.lang, passages)
    mentions: list[Mention] = []
    offset = 0
    for index, text in enumerate(texts):
        here = [one for one in sorted(record.spans) if offset <= one.start and one.end <= offset + len(text)]
        mentions += _mentions(document, index, here, offset)
        offset += len(text) + 2
    return DocumentMentions(document, tuple(mentions), "f00d")


def _mentions(document: Document, index: int, spans: Sequence[Span], offset: int) -> list[Mention]:
    candidates = [Candidate(one.start - offset, one.end - offset, one.type, 1.0, 0.9, accepted=True) for one in spans]
    parents = parent_indices(candidates)
    ids = [f"{document.doc_id}/{index}/{number}" for number in range(len(candidates))]
    return [
        Mention(
            mention_id=ids[number],
            doc_id=document.doc_id,
            doc_version=1,
            passage_index=index,
            section=document.passages[index].section,
            lang=document.lang,
            sentence_index=0,
            start=one.start,
            end=one.end,
            text=document.passages[index].text[one.start : one.end],
            label_set="gold",
            type=one.type,
            parent_id=None if parents[number] is None else ids[parents[number] or 0],
            depth=depth,
            tag_score=1.0,
            selector_score=0.9,
            accepted=True,
        )
        for number, (one, depth) in enumerate(zip(candidates, depths(parents), strict=True))
    ]


def exported(records: Sequence[DocumentMentions], form: str, output: Path) -> Tally:
    """Write documents with an exporter; returns what it counted."""
    tally = Tally()
    FORMATS[form](tally.counting(records), output, provenance=PROVENANCE, tally=tally)
    return tally


def write_doccano(records: Sequence[GoldRecord], output: Path) -> None:
    """Write doccano's JSON lines."""
    lines = (
        {"id": one.record_id, "text": one.text, "label": [[s.start, s.end, s.type] for s in sorted(one.spans)]}
        for one in records
    )
    output.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), encoding="utf-8")


def label_studio_task(record: GoldRecord, *, in_utf16: bool = False) -> dict[str, Any]:
    """A task of Label Studio with one annotation."""

    def edge(place: int) -> int:
        return len(record.text[:place].encode("utf-16-le")) // 2 if in_utf16 else place

    results = [
        {
            "type": "labels",
            "from_name": "label",
            "to_name": "text",
            "value": {
                "start": edge(one.start),
                "end": edge(one.end),
                "text": record.text[one.start : one.end],
                "labels": [one.type],
            },
        }
        for one in sorted(record.spans)
    ]
    return {"id": 1, "data": {"text": record.text, "id": record.record_id}, "annotations": [{"result": results}]}


def write_label_studio(records: Sequence[GoldRecord], output: Path, *, in_utf16: bool = False) -> None:
    """Write an export of Label Studio."""
    tasks = [label_studio_task(one, in_utf16=in_utf16) for one in records]
    output.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
