"""What `bioner export --format jsonl` writes: a document a line, each mention inside its parent's `children`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioner_core.gold.json_values import Place, json_lines
from bioner_core.gold.placing import PASSAGE_BREAK, Mark, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind

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
            texts: list[str] = []
            marks: list[Mark] = []
            misfits: list[Misfit] = []
            offset = 0
            for item in place.list(document, "passages"):
                passage = place.object(item)
                texts.append(place.text(passage, "text"))
                entities = place.list(passage, "entities") if "entities" in passage else []
                for entity in _flat(entities, place):
                    _add(entity, place, offset, marks=marks, misfits=misfits)
                offset += len(texts[-1]) + len(PASSAGE_BREAK)
            text = PASSAGE_BREAK.join(texts)
            yield placed_record(place.text(document, "doc_id"), text, marks, misfits=misfits)


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
