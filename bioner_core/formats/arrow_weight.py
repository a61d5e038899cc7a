"""How much rows of Arrow columns would take as Python values, asked before they are made.

A dictionary holds a value once for any number of rows, so that few bytes of a file can stand for many gigabytes.
"""

import pyarrow as pa
import pyarrow.compute as pc

_ELEMENT_BYTES = 8


def weight_of(rows: pa.RecordBatch) -> int:
    """About the bytes that all values of these rows take when each is written out."""
    return sum(map(_weight, rows.columns))


def _weight(found: pa.Array) -> int:
    own = _ELEMENT_BYTES * len(found)
    kind = found.type
    if pa.types.is_dictionary(kind):
        return own + _of_dictionary(found)
    if pa.types.is_struct(kind):
        return own + sum(map(_weight, found.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        return own + _weight(pc.list_flatten(found.cast(pa.list_(kind.item_type)) if pa.types.is_map(kind) else found))
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        return own + int(pc.sum(pc.binary_length(found)).as_py() or 0)
    return own


def _of_dictionary(found: pa.DictionaryArray) -> int:
    values = found.dictionary
    if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type)):
        return 0
    return int(pc.sum(pc.binary_length(values).cast(pa.int64()).take(found.indices)).as_py() or 0)
