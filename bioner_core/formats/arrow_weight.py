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
    if isinstance(found, pa.ExtensionArray):
        return _weight(found.storage)
    own = _ELEMENT_BYTES * len(found)
    kind = found.type
    if pa.types.is_dictionary(kind):
        return own + _of_dictionary(found)
    if pa.types.is_struct(kind):
        return own + sum(map(_weight, found.flatten()))
    if pa.types.is_map(kind):
        return own + _weight(pc.list_flatten(found.cast(pa.list_(kind.item_type))))
    if any(is_list(kind) for is_list in _LISTS):
        return own + _weight(pc.list_flatten(found))
    if pa.types.is_fixed_size_binary(kind):
        return own + int(kind.byte_width) * len(found)
    if (lengths := _lengths(found)) is not None:
        return own + int(pc.sum(lengths).as_py() or 0)
    return own


_LISTS = (
    pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
    pa.types.is_large_list_view,
)  # fmt: skip
_VIEWS = (pa.types.is_string_view, pa.types.is_binary_view)
_TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)


def _lengths(found: pa.Array) -> pa.Array | None:
    """The bytes of each text; None where the values are no texts."""
    if any(is_text(found.type) for is_text in _TEXTS):
        return pc.binary_length(found).cast(pa.int64())
    if any(is_view(found.type) for is_view in _VIEWS):  # Arrow has no kernel that tells their lengths
        return pa.array([len(one.as_buffer() or b"") for one in found], pa.int64())
    return None


def _of_dictionary(found: pa.DictionaryArray) -> int:
    lengths = _lengths(found.dictionary)
    return 0 if lengths is None else int(pc.sum(lengths.take(found.indices)).as_py() or 0)
