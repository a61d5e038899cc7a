"""doccano's JSON lines: `{"id", "text", "label": [[start, end, type]]}`, or with `entities` where relations are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioner_core.gold.json_values import Place, json_lines
from bioner_core.gold.placing import Mark, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind

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
            yield placed_record(record_id, text, marks, lang=lang if isinstance(lang, str) else "", misfits=misfits)


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
