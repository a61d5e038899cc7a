"""JSON that strangers wrote: bytes to values of the right kind, with a cap on depth, and every fault a record's own."""

import json
import re
from collections.abc import Mapping
from typing import Any

from bioner_core.errors import BionerError
from bioner_core.formats.contract import RecordFault
from bioner_core.records import RejectReason

MAX_JSON_DEPTH = 64
"""How deep arrays and objects may nest."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# Control characters inside a string, NUL too, are kept as the characters that they are.
_DECODER = json.JSONDecoder(strict=False)


class FieldFault(BionerError):
    """A field has a value of the wrong kind; whoever knows the record makes it a `RecordFault`."""


def parsed_json(content: bytes) -> Any:
    """The value that UTF-8 text holds; blanks around it do no harm.

    Raises:
        RecordFault: it is not UTF-8, not JSON, or nests deeper than `MAX_JSON_DEPTH`.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise RecordFault(RejectReason.BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None
    if _deeper_than(text, MAX_JSON_DEPTH):
        raise RecordFault(RejectReason.TOO_LARGE, f"arrays and objects nest deeper than {MAX_JSON_DEPTH}")
    try:
        return _DECODER.decode(text.strip())
    except ValueError as error:
        raise RecordFault(RejectReason.MALFORMED, f"not JSON: {error}") from None


def string_field(fields: Mapping[str, Any], name: str) -> str:
    """A field that is a string; empty where it is null or not there.

    Raises:
        FieldFault: it is another kind of value.
    """
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise FieldFault(f'"{name}" must be a string, not {type(value).__name__}')
    return value or ""


def _deeper_than(text: str, limit: int) -> bool:
    """Whether brackets outside strings nest deeper, found without recursion."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > limit:
            return True
    return False
