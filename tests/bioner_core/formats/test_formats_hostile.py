"""Files of few bytes that stand for many, and nesting that a parser gives up on: a reject, and nothing else is lost."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dump_samples import ReadBytes, article, articles, outcomes
from export_samples import sheet_rows, workbook

from bioner_core.documents import Document
from bioner_core.formats import parquet, spreadsheet
from bioner_core.formats.arrow_weight import weight_of
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
    with _at_most(python=100_000_000, arrow=400_000_000):
        found = read_bytes(content)
    assert outcomes(found) == ["too_large"] * rejects


@contextmanager
def _at_most(*, python: int, arrow: int) -> Iterator[None]:
    """The most bytes that Python's and Arrow's values may take in this block; Arrow's peak is that of the process."""
    pool = pa.default_memory_pool()
    most = max(pool.max_memory(), arrow)
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < python
    assert pool.max_memory() <= most


def _listed(kind: str) -> pa.Table:
    """One row whose 600 keywords are one text of a megabyte."""
    texts = _repeated("x" * 1_000_000, 600)
    lists = {
        "list": lambda: pa.ListArray.from_arrays(pa.array([0, 600], pa.int32()), texts),
        "fixed_size_list": lambda: pa.FixedSizeListArray.from_arrays(texts, 600),
        "list_view": lambda: pa.ListViewArray.from_arrays(
            pa.array([0], pa.int32()), pa.array([600], pa.int32()), texts
        ),
    }
    return pa.table({"id": ["a"], "keywords": lists[kind]()})


@pytest.mark.parametrize("stores_schema", [False, True])
@pytest.mark.parametrize("kind", ["list", "fixed_size_list", "list_view"])
def test_a_small_dictionary_is_not_written_out_for_every_element(
    read_bytes: ReadBytes, kind: str, stores_schema: bool
) -> None:
    """Catches 600 MB, of which the file may make any number, taken for 500 bytes: the elements of one row's list.

    Lists of a fixed size, and those that Arrow calls views, were not weighed at all.
    """
    sink = io.BytesIO()
    pq.write_table(_listed(kind), sink, compression="zstd", store_schema=stores_schema)
    with _at_most(python=50_000_000, arrow=400_000_000):
        found = read_bytes(sink.getvalue())
    assert outcomes(found) == ["too_large"]


def _delta_written(column: str, table: pa.Table) -> bytes:
    """A file whose texts, in one column, are written as what each adds to the one before."""
    sink = io.BytesIO()
    encoding = {name: "PLAIN" for name in table.column_names if name != "keywords"} | {column: "DELTA_BYTE_ARRAY"}
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, column_encoding=encoding)
    return sink.getvalue()


def test_texts_that_share_their_beginning(read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches texts written as what they add to the one before, nothing each: few bytes, of which 64 rows were made."""
    table = pa.table({"id": [f"a{number}" for number in range(64)], "text": ["x" * 500_000] * 64})
    content = _delta_written("text", table)
    assert len(content) < 10_000
    batches: list[int] = []

    def noted(rows: pa.RecordBatch) -> int:
        batches.append(rows.nbytes)
        return weight_of(rows)

    monkeypatch.setattr(parquet, "weight_of", noted)
    monkeypatch.setattr(parquet, "MAX_COLUMN_BYTES", 2_000_000)
    assert outcomes(read_bytes(content)) == ["Document"] * 64
    assert 0 < max(batches) < 2_100_000


def test_row_groups_are_read_one_by_one(read_bytes: ReadBytes) -> None:
    """Catches a limit on the columns of a row group that 64 row groups of one row each pass together."""
    text = pa.chunked_array([pa.array(["x" * 40_000_000])] * 20)
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": text}), sink, compression="zstd", use_dictionary=False, row_group_size=1)
    with _at_most(python=50_000_000, arrow=500_000_000):
        found = read_bytes(sink.getvalue())
    assert outcomes(found) == ["too_large"] * 20


@pytest.mark.parametrize(
    ("keywords", "outcome"), [(["x" * 100_000] * 400, "too_large"), (["fever", "feverish"], "Document")]
)
def test_lists_of_texts_that_share_their_beginning(
    read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch, keywords: list[str], outcome: str
) -> None:
    """Catches one row whose list unpacks without end: nobody can tell beforehand how much it holds."""
    monkeypatch.setattr(parquet, "MAX_COLUMN_BYTES", 30_000_000)
    table = pa.table({"id": ["a"], "text": ["x"], "keywords": [keywords]})
    content = _delta_written("keywords.list.element", table)
    assert outcomes(read_bytes(content)) == [outcome]


def test_values_of_a_fixed_width(read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches bytes of a fixed width, whose dictionary has one: they were read 64 at a time and never weighed."""
    monkeypatch.setattr(parquet, "MAX_COLUMN_BYTES", 10_000_000)
    content = _parquet(pa.table({"text": pa.array([b"x" * 1_000_000] * 20, pa.binary(1_000_000))}))
    assert outcomes(read_bytes(content)) == ["too_large"]


def _spreadsheet(text: str, cells: int) -> bytes:
    pointing = '<c t="s"><v>1</v></c>' * cells
    rows = f'<row><c t="s"><v>0</v></c></row><row>{pointing}</row><row><c t="inlineStr"><is><t>after</t></is></c></row>'
    return workbook({"sheet1": rows}, shared=["<t>题名</t>", f'<t xml:space="preserve">{text}</t>'])


@pytest.mark.parametrize(
    "text", [" " + "x" * 1_000_000, "x" * 1_000_000 + " ", "x " * 500_000], ids=["before", "behind", "words"]
)
def test_a_shared_text_is_not_copied_for_every_cell(read_bytes: ReadBytes, text: str) -> None:
    """Catches 218 MB, and more with each cell, taken for a spreadsheet of 1,660 bytes: a blank at an end was enough."""
    content = _spreadsheet(text, 300)
    assert len(content) < 5_000
    with _at_most(python=30_000_000, arrow=0):
        found = read_bytes(content)
    assert outcomes(found) == ["too_large", "Document"]


def test_a_long_cell_is_not_taken_for_a_name(read_bytes: ReadBytes) -> None:
    """Catches a cell over the table that is taken apart word by word, to see whether it names a column."""
    rows = '<row><c t="s"><v>0</v></c></row>' + sheet_rows([["题名"], ["甲"]])
    content = workbook({"sheet1": rows}, shared=[f"<t>{'ab ' * 400_000}</t>"])
    with _at_most(python=25_000_000, arrow=0):
        assert outcomes(read_bytes(content)) == ["Document"]


_ARTICLE = "<article><front><article-meta><article-id pub-id-type='pmc'>{pmc}</article-id>{meta}</article-meta></front>"
_ARTICLES = (
    "<articles>{first}<body>{body}</body></article>"
    + _ARTICLE.format(pmc=8, meta="")
    + ("<body><p>Cells grew.</p></body></article></articles>")
)


@pytest.mark.parametrize("letter", ["x", "甲"])
def test_a_label_is_not_copied_for_every_passage(read_bytes: ReadBytes, letter: str) -> None:
    """Catches 100 MB that an article of 110 kB takes as a table: the heading of a section labels each passage."""
    body = f"<sec><title>{letter * 100_000}</title>{'<p>a</p>' * 1_000}</sec>"
    content = _ARTICLES.format(first=_ARTICLE.format(pmc=7, meta=""), body=body).encode()
    with _at_most(python=50_000_000, arrow=0):
        found = read_bytes(content)
    assert outcomes(found) == ["too_large", "Document"]


def test_the_name_of_a_heading_is_not_copied_for_every_qualifier(read_bytes: ReadBytes) -> None:
    """Catches a descriptor of a megabyte that stands in a table once for each of its qualifiers."""
    qualifiers = "".join(f"<QualifierName>{number}</QualifierName>" for number in range(1_000))
    heading = f"<MeshHeading><DescriptorName>{'x' * 1_000_000}</DescriptorName>{qualifiers}</MeshHeading>"
    long = article("<ArticleTitle>a</ArticleTitle>", beside=f"<MeshHeadingList>{heading}</MeshHeadingList>")
    found = read_bytes(articles(long + article("<ArticleTitle>b</ArticleTitle>")))
    assert outcomes(found) == ["too_large", "Document"]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "a" * 9_000, "text": "x"},
        {"id": "a", "passages": [{"section": "a" * 9_000, "text": "x"}]},
        {"id": "a", "passages": [{"lang": "a" * 9_000, "text": "x"}]},
    ],
)
def test_a_name_that_every_mention_repeats_is_short(read_bytes: ReadBytes, fields: dict[str, object]) -> None:
    """Catches an id of megabytes that stands in the row of each mention of its document."""
    found = read_bytes("\n".join(map(json.dumps, [fields, {"id": "b", "text": "x"}])).encode())
    assert outcomes(found) == ["too_large", "Document"]
    assert len(found[0].doc_id) < 100


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
