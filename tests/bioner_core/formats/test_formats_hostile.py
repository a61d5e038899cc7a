"""Files of few bytes that stand for many, and nesting that a parser gives up on: a reject, and nothing else is lost."""

import io
import tracemalloc
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dump_samples import ReadBytes, outcomes
from export_samples import workbook

from bioner_core.documents import Document
from bioner_core.formats import parquet, spreadsheet
from bioner_core.records import Reject

HEAD = "<html><table><tr><td>题名</td><td>年</td></tr>"


def _page(*cells: str, end: str = "\n") -> bytes:
    rows = "".join(f"<tr><td>{cell}</td><td>2020</td></tr>{end}" for cell in cells)
    return f"{HEAD}{rows}</table></html>".encode()


def _deep(depth: int, word: str = "div") -> str:
    return f"<{word}>" * depth + "甲" + f"</{word}>" * depth


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("depth", [300, 3_000, 100_000])
def test_a_deep_cell_costs_its_row_and_no_other(read_bytes: ReadBytes, depth: int, end: str) -> None:
    """Catches a cell nested so deep that libxml2 gives up: its row and all rows after it vanished without a reject."""
    found = read_bytes(_page("before", _deep(depth), "after", _deep(depth, "b"), "last", end=end))
    titles = [one.passages[0].text if isinstance(one, Document) else one.reason.value for one in found]
    assert titles == ["before", "too_large", "after", "too_large", "last"]


def test_a_cell_of_common_depth_is_read(read_bytes: ReadBytes) -> None:
    """Catches a limit that a page from a word processor meets."""
    [found] = read_bytes(_page(_deep(100)))
    assert isinstance(found, Document)


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", dictionary_pagesize_limit=2**30, store_schema=False)
    return sink.getvalue()


def _repeated(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


def _flat(text: str, rows: int) -> pa.Table:
    return pa.table({"id": [f"a{number}" for number in range(rows)], "text": _repeated(text, rows)})


def _nested(text: str, rows: int) -> pa.Table:
    names = pa.array(["abstract"] * rows)
    passages = pa.StructArray.from_arrays([_repeated(text, rows), names], names=["text", "section"])
    offsets = pa.array([0, rows], pa.int32())
    return pa.table({"id": ["a"], "passages": pa.ListArray.from_arrays(offsets, passages)})


@pytest.mark.parametrize(("make", "rejects"), [(_flat, 640), (_nested, 1)])
def test_a_dictionary_is_not_written_out_for_every_row(
    read_bytes: ReadBytes, make: Callable[[str, int], pa.Table], rejects: int
) -> None:
    """Catches 4 GB taken for a file of 7 KB: one text of 60 MB to which 640 rows, or passages of one row, point."""
    content = _parquet(make("x" * 40_000_000, 640))
    assert len(content) < 10_000
    pool = pa.default_memory_pool()
    most = max(pool.max_memory(), 400_000_000)
    tracemalloc.start()
    try:
        found = read_bytes(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcomes(found) == ["too_large"] * rejects
    assert peak < 100_000_000
    assert pool.max_memory() <= most


def test_rows_that_are_large_together_are_read(read_bytes: ReadBytes) -> None:
    """Catches a limit on a batch of rows that takes whole documents away."""
    found = read_bytes(_parquet(_flat("CD28 binds. " * 40_000, 100)))
    assert len(found) == 100
    assert not any(isinstance(one, Reject) for one in found)


def test_columns_that_unpack_to_too_much_are_refused(read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a row group that is unpacked before anybody has asked how large it is, and nulls without number."""
    content = _parquet(_flat("CD28 binds.", 100))
    monkeypatch.setattr(parquet, "MAX_COLUMN_VALUES", 99)
    assert outcomes(read_bytes(content)) == ["too_large"]
    monkeypatch.undo()
    monkeypatch.setattr(parquet, "MAX_COLUMN_BYTES", 50)
    assert outcomes(read_bytes(content)) == ["too_large"]


def test_empty_shared_texts_count(read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches 12 million empty texts in half a megabyte, each a Python object of its own."""
    monkeypatch.setattr(spreadsheet, "MAX_SHARED_TEXTS", 50)
    assert outcomes(read_bytes(workbook({"sheet1": "<row/>"}, shared=["<t/>"] * 51))) == ["too_large"]
