"""JSON of gold corpora: values of the right kind, or an error that names the place."""

from dataclasses import dataclass
from typing import Any, cast

from bioner_core.errors import InputError
from bioner_core.formats.contract import RecordFault
from bioner_core.formats.json_text import parsed_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, in words, that faults are told with. Each method raises InputError where a value is wrong."""

    words: str

    def __str__(self) -> str:
        return self.words

    def fault(self, said: str) -> InputError:
        """The error about what stands here."""
        return InputError(f"{self.words}: {said}")

    def parsed(self, content: bytes) -> Any:
        """The value that JSON in UTF-8 holds, as deep as that of dumps may nest; a byte order mark does no harm."""
        try:
            return parsed_json(content.removeprefix(_BYTE_ORDER_MARK))
        except RecordFault as fault:
            raise self.fault(str(fault)) from None

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
