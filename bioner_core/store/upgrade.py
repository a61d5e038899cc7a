"""Rows of an older schema version as rows of this one, and rows of another engine in the declared types."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from bioner_core.errors import StoreError


def _empty_lists(kind: pa.DataType, rows: int) -> pa.Array:
    return pa.array([[]] * rows, kind)


_ADDED: dict[str, Callable[[pa.DataType, int], pa.Array]] = {"meta.removed_codes": _empty_lists}
"""What a column that came later holds in older rows, by its path. Version 1 had no `meta.removed_codes`.

The columns that came with version 3 are null in older rows, and need no entry here.
"""


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The rows with the columns and types that `schema` declares; columns that it does not name are left out.

    Raises:
        StoreError: a column is missing and nothing says what it holds in older rows.
    """
    columns = [_column(batch, field) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def in_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns that `schema` names, in its order; they must be of its types already."""
    return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name not in batch.schema.names:
        return _added(field, field.name, batch.num_rows)
    return _conformed(batch.column(field.name), field.type, field.name)


def _conformed(found: pa.Array, kind: pa.DataType, path: str) -> pa.Array:
    if found.type.equals(kind, check_metadata=False):
        return found
    if pa.types.is_struct(kind):
        return _struct(found, kind, path)
    if pa.types.is_list(kind):
        first = found.offsets[0]
        offsets = pc.subtract(found.offsets, first)
        values = _conformed(found.flatten(), kind.value_type, path)
        mask = found.is_null() if found.null_count else None
        return pa.ListArray.from_arrays(offsets, values, type=kind, mask=mask)
    return found.cast(kind)


def _struct(found: pa.StructArray, kind: pa.StructType, path: str) -> pa.Array:
    parts = dict(zip((field.name for field in found.type), found.flatten(), strict=True))
    fields = [kind.field(number) for number in range(kind.num_fields)]
    children = [
        _conformed(parts[field.name], field.type, f"{path}.{field.name}")
        if field.name in parts
        else _added(field, f"{path}.{field.name}", len(found))
        for field in fields
    ]
    return pa.StructArray.from_arrays(children, fields=fields, mask=found.is_null() if found.null_count else None)


def _added(field: pa.Field, path: str, rows: int) -> pa.Array:
    if path in _ADDED:
        return _ADDED[path](field.type, rows)
    if field.nullable:
        return pa.nulls(rows, field.type)
    raise StoreError(
        f"column {path} is missing, and nothing says what it holds in rows that lack it. Annotate the inputs again"
    )
