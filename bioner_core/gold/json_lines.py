"""Gold in JSON lines: doccano's and bioner's exports.

doccano's are `{"id", "text", "label": [[start, end, type]]}`, or have `entities` where relations are. Those of
`bioner export --format jsonl` are a document per line, each mention inside its parent's `children`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioner_core.gold.files import whole_bytes
from bioner_core.gold.json_values import Place
from bioner_core.gold.placing import Mark, joined_passages, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind


def json_lines(path: Path) -> Iterator[tuple[Place, Any]]:
    """The value of each line that is not blank, with its place.

    Raises:
        InputError: a line is not JSON in UTF-8, or the file cannot be read.
    """
    for number, line in enumerate(whole_bytes(path).split(b"\n"), start=1):
        if line.strip():
            place = Place(f"{path}, line {number}")
            yield place, place.parsed(line)


def json_file(path: Path) -> Any:
    """The value that a whole file is.

    Raises:
        InputError: it is not JSON in UTF-8 (the message names the line), or cannot be read.
    """
    return Place(str(path)).parsed(whole_bytes(path))


_MARK = re.compile(rb'"labels?"\s*:\s*\[|"start_offset"\s*:|"entities"\s*:\s*\[\s*\[')


class DoccanoForm:
    """Reads doccano's exports of sequence labelling."""

    name = "doccano"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the first line is an object with a text and doccano's labels."""
        first = head.lstrip().partition(b"\n")[0]
        return first.startswith(b"{") and b'"text"' in first and _MARK.search(first) is not None

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """A record for each line; its id is the file's name and the line's number where the line has none.

        Raises:
            InputError: a line breaks the form; the message names file and line.
        """
        for number, (place, value) in enumerate(json_lines(path), start=1):
            fields = place.object(value)
            text = place.text(fields, "text")
            found = fields.get("id")
            record_id = str(found) if isinstance(found, str | int) else f"{path.name}:{number}"
            marks = list(_marks(fields, place))
            relations = fields.get("relations") or []
            misfits = [Misfit(MisfitKind.NO_SPAN, str(place), f"{len(relations)} relations")] if relations else []
            lang = fields.get("lang")
            yield placed_record(
                record_id, text, marks=marks, lang=lang if isinstance(lang, str) else "", misfits=misfits
            )


def _marks(fields: dict[str, Any], place: Place) -> Iterator[Mark]:
    name = next((one for one in ("label", "labels", "entities") if one in fields), None)
    if name is None:
        raise place.fault("has none of label, labels and entities, so nobody can tell whether it was annotated")
    for item in place.list(fields, name):
        if isinstance(item, dict):
            edges = (place.number(item, "start_offset"), place.number(item, "end_offset"))
            yield Mark((edges,), place.text(item, "label"), str(place))
        elif isinstance(item, list) and [type(one) for one in item] == [int, int, str]:
            yield Mark(((item[0], item[1]),), item[2], str(place))
        else:
            raise place.fault(f"a label must be [start, end, type], found {item!r:.60}")


_HEAD = re.compile(rb'\s*\{.*"passages"\s*:', re.DOTALL)


class ExportedLinesForm:
    """Reads bioner's exported JSON lines."""

    name = "jsonl"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the first line is an object with a `doc_id` and passages."""
        first = head.lstrip().partition(b"\n")[0]
        return first.startswith(b"{") and b'"doc_id"' in first and _HEAD.match(first) is not None

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """A record for each document, its passages with an empty line between them.

        Raises:
            InputError: a line breaks the form; the message names file and line.
        """
        for place, value in json_lines(path):
            document = place.object(value)
            passages = [place.object(item) for item in place.list(document, "passages")]
            text, starts = joined_passages(place.text(one, "text") for one in passages)
            marks: list[Mark] = []
            misfits: list[Misfit] = []
            for passage, start in zip(passages, starts, strict=True):
                entities = place.list(passage, "entities") if "entities" in passage else []
                for entity in _flat(entities, place):
                    _add(entity, place, start, marks=marks, misfits=misfits)
            yield placed_record(place.text(document, "doc_id"), text, marks=marks, misfits=misfits)


def _flat(entities: list[Any], place: Place) -> Iterator[dict[str, Any]]:
    waiting = list(reversed(entities))
    while waiting:
        entity = place.object(waiting.pop())
        yield entity
        waiting += reversed(place.list(entity, "children") if "children" in entity else [])


def _add(entity: dict[str, Any], place: Place, offset: int, *, marks: list[Mark], misfits: list[Misfit]) -> None:
    text = place.text(entity, "text")
    if entity.get("accepted") is False:
        misfits.append(Misfit(MisfitKind.TURNED_DOWN, str(place), text[:60]))
        return
    start, end = place.number(entity, "start") + offset, place.number(entity, "end") + offset
    marks.append(Mark(((start, end),), place.text(entity, "type"), str(place), text))
