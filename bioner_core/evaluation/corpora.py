"""Gold corpora as JSON lines: `{"id", "lang", "text", "entities": [{"start", "end", "type"}]}`, plain or gzip."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.mentions import Span

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class GoldRecord:
    """A text and the entities that a human marked in it; `spans` are offsets into `text`, doubles dropped.

    `concepts` has what the corpus says each span means, as it writes it, where it says something.
    """

    record_id: str
    lang: str
    text: str
    spans: frozenset[Span]
    concepts: Mapping[Span, str] = field(default_factory=dict)


class _DefectError(Exception):
    """What is wrong with one line, before it is known where the line stands."""


def read_corpus(path: str | Path) -> Iterator[GoldRecord]:
    """The records of a gold corpus in file order; empty lines are skipped, gzip is told by its first bytes.

    Raises:
        InputError: the file cannot be read, or a line breaks the form (no JSON object, a field missing or of the wrong
            type, an offset outside the text, an empty entity, an entity whose `text` is not what its offsets hold);
            the message names the file and the line, counted from 1.
    """
    number = 0
    try:
        with _open(Path(path)) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007 (read by the handlers below)
                if line.strip():
                    yield _record(line)
    except _DefectError as defect:
        raise InputError(f"{path}, line {number}: {defect}") from defect
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}, after line {number}: cannot be read: {error}") from error


def with_types(records: Iterable[GoldRecord], new_names: Mapping[str, str]) -> list[GoldRecord]:
    """The records with types of other names: each type in `new_names` becomes the one there; doubles are one span.

    Raises:
        ConfigurationError: no record has a type that is to be renamed.
    """
    known = list(records)
    missing = sorted(set(new_names) - {span.type for record in known for span in record.spans})
    if missing:
        raise ConfigurationError(f"map: the data marks no {missing}; it is the data's own name that stands first")
    return [_renamed(record, new_names) for record in known]


def _renamed(record: GoldRecord, new_names: Mapping[str, str]) -> GoldRecord:
    spans = {span: replace(span, type=new_names.get(span.type, span.type)) for span in record.spans}
    concepts = {spans[span]: concept for span, concept in record.concepts.items()}
    return replace(record, spans=frozenset(spans.values()), concepts=concepts)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if is_gzip else path.open("rb")


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
