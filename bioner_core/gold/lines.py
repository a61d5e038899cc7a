"""Bioner's own form of gold: JSON lines `{"id", "lang", "text", "entities": [{"start", "end", "type"}]}`."""

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bioner_core.errors import InputError
from bioner_core.gold.json_values import Place
from bioner_core.gold.record import GoldRecord
from bioner_core.gzip_file import open_plain_or_gzip
from bioner_core.mentions import Span
from bioner_core.store.atomic import replacing


def read_lines(path: Path) -> Iterator[GoldRecord]:
    """The records in file order; empty lines are skipped.

    Raises:
        InputError: the file cannot be read, or a line breaks the form (no JSON object, one that nests too deep, a field
            missing or of the wrong type, an offset outside the text, an empty entity, an entity whose `text` is not
            what its offsets hold); the message names the file and the line, counted from 1.
    """
    number = 0
    try:
        with open_plain_or_gzip(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _record(line, Place(f"{path}, line {number}"))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}, after line {number}: cannot be read: {error}") from error


def write_lines(records: Iterable[GoldRecord], output: Path) -> None:
    """Write records so that `read_lines` gives them again, whole or not at all.

    Raises:
        StoreError: the file cannot be written; one that was there before stays as it was.
    """
    with replacing(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(line_of(one) for one in records)


def line_of(record: GoldRecord) -> str:
    """The record as a line."""
    entities = [_entity(span, record) for span in sorted(record.spans)]
    content = {"id": record.record_id, "lang": record.lang, "text": record.text, "entities": entities}
    return json.dumps(content, ensure_ascii=False) + "\n"


def _entity(span: Span, record: GoldRecord) -> dict[str, Any]:
    found = {"start": span.start, "end": span.end, "type": span.type, "text": record.text[span.start : span.end]}
    concept = record.concepts.get(span)
    return found | {"concept": concept} if concept else found


def _record(line: bytes, place: Place) -> GoldRecord:
    value = place.object(place.parsed(line))
    text = place.text(value, "text")
    entities = place.list(value, "entities")
    spans = [_span(place.object(entity), text, place) for entity in entities]
    concepts = {span: one["concept"] for span, one in zip(spans, entities, strict=True) if _has_concept(one)}
    return GoldRecord(place.text(value, "id"), place.text(value, "lang"), text, frozenset(spans), concepts)


def _has_concept(entity: dict[str, Any]) -> bool:
    return bool(entity.get("concept")) and isinstance(entity["concept"], str)


def _span(entity: dict[str, Any], text: str, place: Place) -> Span:
    start, end = place.number(entity, "start"), place.number(entity, "end")
    if not 0 <= start < end <= len(text):
        raise place.fault(f"entity {start}:{end} is empty or outside the text of {len(text)} characters")
    if "text" in entity and entity["text"] != text[start:end]:
        raise place.fault(
            f"entity {start}:{end} says {entity['text']!r:.80}, the text there is {text[start:end]!r:.80}"
        )
    return Span(start, end, place.text(entity, "type"))
