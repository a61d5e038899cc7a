"""How a column is declared: its type, and in the field's metadata what it means, its unit and an example of it."""

from collections.abc import Iterable

import pyarrow as pa

MEANING, UNIT, EXAMPLE = b"meaning", b"unit", b"example"
"""The keys of a field's metadata."""


def column(
    name: str, kind: pa.DataType, meaning: str, *, unit: str = "text", example: str = "", null: bool = False
) -> pa.Field:
    """A column that says what it holds; `null` ones may be empty, and their meaning says when."""
    about = {MEANING: meaning.encode(), UNIT: unit.encode(), EXAMPLE: example.encode()}
    return pa.field(name, kind, nullable=null, metadata=about)


def text(name: str, meaning: str, *, example: str, null: bool = False) -> pa.Field:
    """A column of text."""
    return column(name, pa.string(), meaning, example=example, null=null)


def whole(name: str, meaning: str, *, unit: str, example: str = "0", bits: int = 64, null: bool = False) -> pa.Field:
    """A column of whole numbers."""
    return column(name, pa.int32() if bits == 32 else pa.int64(), meaning, unit=unit, example=example, null=null)


def number(name: str, meaning: str, *, unit: str, example: str, null: bool = False) -> pa.Field:
    """A column of double precision, so that what was computed is what is stored."""
    return column(name, pa.float64(), meaning, unit=unit, example=example, null=null)


def many(name: str, element: pa.DataType, meaning: str, *, example: str = "", null: bool = False) -> pa.Field:
    """A column of lists, whose elements are never null."""
    kind = pa.list_(pa.field("element", element, nullable=False))
    return column(name, kind, meaning, unit="list", example=example, null=null)


def group(fields: Iterable[pa.Field]) -> pa.StructType:
    """The type of a column that has columns of its own."""
    return pa.struct(list(fields))


def about(field: pa.Field) -> tuple[str, str, str]:
    """Meaning, unit and example of a column; empty where it says none, as the elements of lists."""
    found = field.metadata or {}
    meaning, unit, example = (bytes(found.get(key, b"")).decode() for key in (MEANING, UNIT, EXAMPLE))
    return meaning, unit, example
