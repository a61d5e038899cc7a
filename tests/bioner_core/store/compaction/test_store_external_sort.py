"""The sort that goes to disk, and the rows that it gives back."""

from pathlib import Path

import pyarrow as pa
import pytest

from bioner_core.errors import StoreError
from bioner_core.store.compaction.external_sort import SortSpace, sorted_batches
from bioner_core.store.upgrade import conform

NESTED = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("number", pa.int32(), nullable=False),
        pa.field("lists", pa.list_(pa.field("element", pa.struct([pa.field("a", pa.string(), nullable=False)])))),
    ]
)


def batches(rows: int, *, size: int = 100) -> list[pa.RecordBatch]:
    """Rows of seven documents that take turns."""
    values = [{"doc_id": f"d{n % 7}", "number": n, "lists": [{"a": f"é{n}"}] * (n % 3)} for n in range(rows)]
    return [pa.RecordBatch.from_pylist(values[at : at + size], schema=NESTED) for at in range(0, rows, size)]


def test_rows_are_sorted_and_equal_ones_keep_their_order(tmp_path: Path) -> None:
    """Catches nested rows that change on their way, a declared type that is lost, or an order of the text that is."""
    before = pa.Table.from_batches(batches(2_000)).to_pylist()
    space = SortSpace(64 * 1024**2, tmp_path)
    after = pa.Table.from_batches(
        list(sorted_batches(iter(batches(2_000)), NESTED, by=["doc_id"], space=space)), NESTED
    )
    assert after.to_pylist() == sorted(before, key=lambda row: row["doc_id"])


def test_no_rows_are_sorted_too(tmp_path: Path) -> None:
    """Catches a table without rows that fails."""
    assert sum(one.num_rows for one in sorted_batches([], NESTED, by=["doc_id"], space=SortSpace(2**26, tmp_path))) == 0


def test_a_limit_that_is_too_small_is_said(tmp_path: Path) -> None:
    """Catches a defect report where the user can give more memory."""
    with pytest.raises(StoreError, match="more memory"):
        list(sorted_batches(batches(50_000, size=10_000), NESTED, by=["doc_id"], space=SortSpace(200_000, tmp_path)))


def test_conform_handles_slices_and_refuses_what_it_does_not_know() -> None:
    """Catches offsets of a sliced list that are read from its start, and a missing column that is made up."""
    whole = batches(10)[0]
    other = pa.schema([NESTED.field("doc_id"), NESTED.field("number").with_type(pa.int64()), NESTED.field("lists")])
    assert conform(whole.slice(3, 4), other).to_pylist() == whole.slice(3, 4).to_pylist()
    loose = pa.list_(pa.field("item", pa.struct([pa.field("a", pa.string())])))
    renamed = conform(whole.slice(2), pa.schema([pa.field("lists", loose)]))
    assert (
        conform(renamed.slice(1, 5), pa.schema([NESTED.field("lists")])).to_pylist()
        == whole.select(["lists"]).slice(3, 5).to_pylist()
    )
    assert conform(whole, pa.schema([pa.field("new", pa.int8())])).column("new").null_count == 10
    with pytest.raises(StoreError, match="column new is missing"):
        conform(whole, pa.schema([pa.field("new", pa.int8(), nullable=False)]))
