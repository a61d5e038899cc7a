"""Bioner's own form of gold: JSON lines `{"id", "lang", "text", "entities": [{"start", "end", "type"}]}`."""

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from bioner_core.errors import InputError
from bioner_core.gold.files import open_file
from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Span
from bioner_core.store.atomic import replacing


class _DefectError(Exception):
    """What is wrong with one line, before it is known where the line stands."""


def read_lines(path: Path) -> Iterator[GoldRecord]:
    """The records in file order; empty lines are skipped.

    Raises:
        InputError: the file cannot be read, or a line breaks the form (no JSON object, a field missing or of the wrong
            type, an offset outside the text, an empty entity, an entity whose `text` is not what its offsets hold);
            the message names the file and the line, counted from 1.
    """
    number = 0
    try:
        with open_file(path) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007 (read by the handlers below)
                if line.strip():
                    yield _record(line)
    except _DefectError as defect:
        raise InputError(f"{path}, line {number}: {defect}") from defect
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


def _record(line: bytes) -> GoldRecord:
    try:
        value = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _DefectError(f"not a JSON object in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise _DefectError(f"not a JSON object but {type(value).__name__}")
    text = _text(value, "text")
    entities = _field(value, "entities", list)
    spans = [_span(entity, text) for entity in entities]
    concepts = {span: one["concept"] for span, one in zip(spans, entities, strict=True) if _has_concept(one)}
    return GoldRecord(_text(value, "id"), _text(value, "lang"), text, frozenset(spans), concepts)


def _has_concept(entity: dict[str, Any]) -> bool:
    return bool(entity.get("concept")) and isinstance(entity["concept"], str)


def _span(entity: Any, text: str) -> Span:
    if not isinstance(entity, dict):
        raise _DefectError(f"entity {entity!r:.80} is not an object")
    start, end = _field(entity, "start", int), _field(entity, "end", int)
    if not 0 <= start < end <= len(text):
        raise _DefectError(f"entity {start}:{end} is empty or outside the text of {len(text)} characters")
    if "text" in entity and entity["text"] != text[start:end]:
        raise _DefectError(
            f"entity {start}:{end} says {entity['text']!r:.80}, the text there is {text[start:end]!r:.80}"
        )
    return Span(start, end, _text(entity, "type"))


def _text(value: dict[str, Any], name: str) -> str:
    return cast(str, _field(value, name, str))


def _field(value: dict[str, Any], name: str, kind: type) -> Any:
    found = value.get(name)
    if not isinstance(found, kind) or isinstance(found, bool):
        raise _DefectError(f"field {name!r} must be of type {kind.__name__}, found {found!r:.80}")
    return found
