"""Records from JSON that somebody else may have written or a disk may have damaged: of the declared types, or refused.

A record of a wrong type that is only noticed where it is used ends in a traceback far from the file that is at fault.
"""

import hashlib
import json
import math
import types
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

_CHECKSUM = "checksum"


class UnknownNamesError(ValueError):
    """A record has names that its type does not have."""


_PLAIN = frozenset({str, int, float, bool})


def loaded_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, or nested deeper than any record of ours.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def with_checksum(value: dict[str, Any]) -> dict[str, Any]:
    """The object with a digest of what it says, so that a flipped bit in a number or a name is noticed."""
    return value | {_CHECKSUM: _digest(value)}


def without_checksum(value: Any) -> Any:
    """An object that `with_checksum` gave, as it was; one that never had a checksum is given back as it is.

    Raises:
        ValueError: it says something else than what was written.
    """
    if not isinstance(value, dict) or _CHECKSUM not in value:
        return value
    found = {name: one for name, one in value.items() if name != _CHECKSUM}
    if _digest(found) != value[_CHECKSUM]:
        raise ValueError("it has changed since it was written: its checksum is of something else")
    return found


def has_checksum(value: Any) -> bool:
    """Whether a value is an object of `with_checksum`."""
    return isinstance(value, dict) and _CHECKSUM in value


def _digest(value: dict[str, Any]) -> str:
    words = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(words.encode()).hexdigest()


def typed(kind: type[Record], value: object) -> Record:
    """The value as `kind`: a dataclass from an object, a tuple from a list, an enumeration from its value.

    Fields with a default may be missing; no others, and there are no further ones.

    Raises:
        UnknownNamesError: there are further fields.
        ValueError: a field is missing or of another type; a text cannot be stored, or a number is not finite.
    """
    found: Record = _typed(kind, value, "")
    return found


def _typed(kind: Any, value: Any, where: str) -> Any:
    if kind in _PLAIN:  # first, since nearly all values are: manifests are read in three quarters of the time
        return _plain(kind, value, where)
    origin = get_origin(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if origin is dict:
        return _dict(get_args(kind)[1], value, where)
    if origin is list and isinstance(value, list):
        return [_typed(get_args(kind)[0], one, where) for one in value]
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return _plain(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise ValueError(f"{where or 'the value'} is {type(value).__name__}, not {getattr(kind, '__name__', kind)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is not finite")
    if isinstance(value, str):
        value.encode()  # an unpaired surrogate cannot be printed or stored; the error is a ValueError
    return value


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where or 'the record'} is no object")
    hints, needed = _fields(kind)
    unknown = sorted(map(str, value.keys() - hints.keys()))
    missing = sorted(needed - value.keys())
    if unknown or missing:
        fault = UnknownNamesError if unknown else ValueError
        raise fault(f"missing or unknown: {', '.join([*missing, *unknown])}")
    return kind(**{name: _typed(hints[name], one, f"{where}.{name}" if where else name) for name, one in value.items()})


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} is no list")
    if len(kinds) == 2 and kinds[1] is ...:
        return tuple(_typed(kinds[0], one, where) for one in value)
    if len(kinds) != len(value):
        raise ValueError(f"{where} has {len(value)} values, not {len(kinds)}")
    return tuple(_typed(kind, one, where) for kind, one in zip(kinds, value, strict=True))


def _dict(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no object")
    return {_plain(str, key, where): _typed(kind, one, where) for key, one in value.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    return _typed(rest[0], value, where)


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of a dataclass's fields, and which of them have no default."""
    hints = get_type_hints(kind)
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    return {one.name: hints[one.name] for one in fields(kind)}, frozenset(needed)
