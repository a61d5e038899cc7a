"""JSON that annotation tools wrote: values of the right kind, or an error that names the place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bioner_core.errors import InputError
from bioner_core.formats.contract import RecordFault
from bioner_core.formats.json_text import parsed_json
from bioner_core.gold.files import whole_bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, in words, that faults are told with."""

    words: str

    def __str__(self) -> str:
        return self.words

    def fault(self, said: str) -> InputError:
        """The error about what stands here."""
        return InputError(f"{self.words}: {said}")

    def object(self, value: Any) -> dict[str, Any]:
        """The value, which must be an object."""
        if not isinstance(value, dict):
            raise self.fault(f"not a JSON object but {type(value).__name__}: {value!r:.60}")
        return value

    def list(self, value: dict[str, Any], name: str) -> list[Any]:
        """A field that must be an array."""
        return cast("list[Any]", self._field(value, name, list))

    def text(self, value: dict[str, Any], name: str) -> str:
        """A field that must be a string."""
        return cast(str, self._field(value, name, str))

    def number(self, value: dict[str, Any], name: str) -> int:
        """A field that must be a whole number."""
        return cast(int, self._field(value, name, int))

    def _field(self, value: dict[str, Any], name: str, kind: type) -> Any:
        found = value.get(name)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self.fault(f"field {name!r} must be of type {kind.__name__}, found {found!r:.60}")
        return found


def json_lines(path: Path) -> Iterator[tuple[Place, Any]]:
    """The value of each line that is not blank, with its place.

    Raises:
        InputError: a line is not JSON in UTF-8, or the file cannot be read.
    """
    for number, line in enumerate(whole_bytes(path).removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            place = Place(f"{path}, line {number}")
            yield place, _parsed(line, place)


def json_file(path: Path) -> Any:
    """The value that a whole file is.

    Raises:
        InputError: it is not JSON in UTF-8 (the message names the line), or cannot be read.
    """
    return _parsed(whole_bytes(path).removeprefix(b"\xef\xbb\xbf"), Place(str(path)))


def _parsed(content: bytes, place: Place) -> Any:
    try:
        return parsed_json(content)
    except RecordFault as fault:
        raise place.fault(str(fault)) from None
