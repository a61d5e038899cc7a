"""brat standoff: pairs of `.txt` and `.ann`, in a folder and the folders below it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bioner_core.errors import InputError
from bioner_core.formats.brat_collection import CONFIGURATION_FILE, TURNED_DOWN, stated_names
from bioner_core.gold.files import whole_text
from bioner_core.gold.placing import Mark, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind

_ENTITY = re.compile(r"(T\S*)\t(\S+) (\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*)(?:\t(.*))?", re.DOTALL)
_REFERENCE = re.compile(r"N\S*\tReference (T\S*) (\S+)")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) (\S+)")
_KNOWN = frozenset("TNAM#REW*")


class BratForm:
    """Reads brat folders, and single `.txt` or `.ann` files with their other half beside them."""

    name = "brat"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether it is a folder, or half of a pair."""
        return path.is_dir() or (path.suffix in (".txt", ".ann") and path.with_suffix(".ann").is_file())

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """A record for each `.txt`, by its path in the folder; a text without an `.ann` was never annotated.

        Raises:
            InputError: a file cannot be read, a line is none of brat's, or an `.ann` has no `.txt`.
        """
        folder, texts = _texts(path)
        names = _type_names(folder)
        for text_file in texts:
            record_id = text_file.relative_to(folder).with_suffix("").as_posix()
            annotations = text_file.with_suffix(".ann")
            if not annotations.is_file():
                misfit = Misfit(MisfitKind.UNANNOTATED, str(text_file), "there is no .ann beside it")
                yield ImportedRecord(None, (misfit,))
                continue
            # A record's text has no line end behind it; brat's files have one.
            text = whole_text(text_file).removesuffix("\n")
            marks, misfits = _marks(annotations, names)
            yield placed_record(record_id, text, marks=marks, misfits=misfits)


def _texts(path: Path) -> tuple[Path, list[Path]]:
    if not path.is_dir():
        return path.parent, [path.with_suffix(".txt")]
    texts = sorted(path.rglob("*.txt"))
    alone = [one for one in sorted(path.rglob("*.ann")) if not one.with_suffix(".txt").is_file()]
    if alone:
        raise InputError(f"{alone[0]}: there is no {alone[0].with_suffix('.txt').name} beside it; put the text there")
    if not texts:
        raise InputError(
            f"{path}: a folder is read as brat, and this one holds no .txt file, nor does a folder below it"
        )
    return path, texts


def _type_names(folder: Path) -> dict[str, str]:
    """What types are called outside brat, where `bioner export` or `bioner review export` wrote the configuration."""
    for place in (folder, *folder.parents[:2]):
        if (place / CONFIGURATION_FILE).is_file():
            return stated_names(whole_text(place / CONFIGURATION_FILE))
    return {}


def _marks(path: Path, names: dict[str, str]) -> tuple[list[Mark], list[Misfit]]:
    marks: dict[str, Mark] = {}
    concepts: dict[str, str] = {}
    turned_down: set[str] = set()
    misfits: list[Misfit] = []
    for number, line in enumerate(whole_text(path).split("\n"), start=1):
        where = f"{path}, line {number}"
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        if line[0] not in _KNOWN:
            raise InputError(f"{where}: {line[:60]!a} is no line of brat's; it begins with none of T N A M R E W * #")
        if line.startswith("T"):
            identifier, mark = _entity(line, where, names)
            marks[identifier] = mark
        elif (match := _REFERENCE.match(line)) is not None:
            concepts[match[1]] = match[2]
        elif (match := _ATTRIBUTE.match(line)) is not None and match[1] == TURNED_DOWN:
            turned_down.add(match[2])
        elif not line.startswith("#"):
            misfits.append(Misfit(MisfitKind.NO_SPAN, where, line[:60]))
    misfits += [Misfit(MisfitKind.TURNED_DOWN, marks[one].where, one) for one in sorted(turned_down & marks.keys())]
    kept = [_with_concept(mark, concepts.get(one, "")) for one, mark in marks.items() if one not in turned_down]
    return kept, misfits


def _entity(line: str, where: str, names: dict[str, str]) -> tuple[str, Mark]:
    match = _ENTITY.fullmatch(line)
    if match is None:
        raise InputError(f"{where}: {line[:60]!a} is no entity; write T1, a tab, type start end, a tab, the text")
    pieces = tuple((int(start), int(end)) for start, end in (one.split(" ") for one in match[3].split(";")))
    return match[1], Mark(pieces, names.get(match[2], match[2]), where, match[4] or None)


def _with_concept(mark: Mark, concept: str) -> Mark:
    return replace(mark, concept=concept)
