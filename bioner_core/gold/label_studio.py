"""Label Studio: its JSON export (tasks with annotations) and its smaller JSON-MIN."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioner_core.gold.json_lines import json_file
from bioner_core.gold.json_values import Place
from bioner_core.gold.placing import Mark, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind

TEXT_FIELD = "text"
LABELS = "labels"

_OPENING = re.compile(rb"\s*\[\s*\{")
_MARKS = (b'"annotations"', b'"completions"', b'"annotation_id"', b'"predictions"', b'"annotator"')


class LabelStudioForm:
    """Reads exports of Label Studio for spans of a text; predictions are no gold."""

    name = "label-studio"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether it is an array of objects in which Label Studio's keys occur."""
        return _OPENING.match(head) is not None and any(mark in head for mark in _MARKS)

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """A record for each task; of several annotations of one task the newest that was not cancelled is taken.

        A task that nobody has annotated is reported and is no record. The record's id is `data.id` where there is one,
        else the task's.

        Raises:
            InputError: the file breaks the form; the message names the file and the task, counted from 1.
        """
        content = json_file(path)
        if not isinstance(content, list):
            raise Place(str(path)).fault("not an array of tasks; export from Label Studio as JSON")
        for number, item in enumerate(content, start=1):
            place = Place(f"{path}, task {number}")
            task = place.object(item)
            yield _whole(task, place, number) if "data" in task else _minimal(task, place, number)


def _whole(task: dict[str, Any], place: Place, number: int) -> ImportedRecord:
    data = place.object(task["data"])
    text = place.text(data, TEXT_FIELD)
    found = [place.object(one) for one in task.get("annotations") or task.get("completions") or []]
    finished = sorted((one for one in found if not one.get("was_cancelled")), key=_when)
    if not finished:
        return ImportedRecord(None, (Misfit(MisfitKind.UNANNOTATED, str(place), text[:60]),))
    misfits = [Misfit(MisfitKind.OTHER_ANNOTATION, str(place), f"{len(finished)} annotations; the newest is taken")]
    results = [place.object(one) for one in place.list(finished[-1], "result")]
    others = [one for one in results if one.get("type") != LABELS]
    lost = [Misfit(MisfitKind.NO_SPAN, str(place), f"a result of type {one.get('type')!r:.40}") for one in others]
    values = [place.object(one.get("value")) for one in results if one.get("type") == LABELS]
    marks = [mark for value in values for mark in _marks(value, text, place)]
    lang = data.get("lang")
    return placed_record(
        _id(data.get("id"), task.get("id"), number),
        text,
        marks=marks,
        lang=lang if isinstance(lang, str) else "",
        misfits=[*(misfits if len(finished) > 1 else []), *lost],
    )


def _minimal(task: dict[str, Any], place: Place, number: int) -> ImportedRecord:
    """JSON-MIN: the fields of the data, and under the name of the control the values alone."""
    text = place.text(task, TEXT_FIELD)
    lists = [value for value in task.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    values = [place.object(one) for found in lists for one in found]
    marks = [mark for value in values if LABELS in value for mark in _marks(value, text, place)]
    return placed_record(_id(task.get("id"), None, number), text, marks=marks)


def _when(annotation: dict[str, Any]) -> tuple[str, str]:
    return str(annotation.get("updated_at") or ""), str(annotation.get("created_at") or "")


def _id(own: Any, of_task: Any, number: int) -> str:
    return next((str(one) for one in (own, of_task) if isinstance(one, str | int) and one != ""), str(number))


def _marks(value: dict[str, Any], text: str, place: Place) -> Iterator[Mark]:
    start, end = place.number(value, "start"), place.number(value, "end")
    said = value.get("text") if isinstance(value.get("text"), str) else None
    if said is not None and (end > len(text) or text[max(start, 0) : max(end, 0)] != said):
        start, end = _code_points(text, start, end, said=said)
    for label in place.list(value, LABELS):
        if not isinstance(label, str):
            raise place.fault(f"a label must be a string, found {label!r:.40}")
        yield Mark(((start, end),), label, str(place), said)


def _code_points(text: str, start: int, end: int, *, said: str) -> tuple[int, int]:
    """Edges that a browser counted in UTF-16 as code points, if so they fit; else as they are."""
    units = text.encode("utf-16-le", errors="surrogatepass")
    if not 0 <= start < end <= len(units) // 2:
        return start, end
    before, within = units[: 2 * start], units[2 * start : 2 * end]
    try:
        first, words = len(before.decode("utf-16-le")), within.decode("utf-16-le")
    except UnicodeDecodeError:
        return start, end
    return (first, first + len(words)) if words == said else (start, end)
