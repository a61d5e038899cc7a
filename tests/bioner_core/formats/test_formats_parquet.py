"""Parquet: our own documents, simple columns, and files that are none."""

import io
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dump_samples import ReadBytes, outcomes
from export_samples import PARQUET, TITLES, parquet

from bioner_core.documents import Document, DocumentMeta, Passage, RemovedCode
from bioner_core.formats import parquet as parquet_reader
from bioner_core.store.rows import documents_to_arrow


def test_our_own_documents(read_bytes: ReadBytes) -> None:
    """Catches passages, languages, metadata or codes that do not come back from a table that bioner wrote."""
    passages = (Passage("title", "", "zh", "CD4+细胞"), Passage("abstract", "METHODS", "en", " as it is "))
    codes = (RemovedCode(0, 3, "~"),)
    meta = DocumentMeta((("doi", "10.1/x"),), "J", "2020", ("k",), "file", 0, codes)
    written = io.BytesIO()
    pq.write_table(documents_to_arrow([Document("cnki:1", "cnki", 2, "zh", passages, meta)]), written)
    (found,) = read_bytes(written.getvalue())
    assert (found.doc_id, found.source, found.version, found.lang) == ("parquet:cnki:1", "parquet", 2, "zh")
    assert found.passages == passages
    assert (found.meta.ids, found.meta.journal, found.meta.year, found.meta.keywords) == (meta.ids, "J", "2020", ("k",))
    assert found.meta.removed_codes == codes


def test_simple_columns(read_bytes: ReadBytes) -> None:
    """Catches columns that are not read, other columns that do harm, and rows without an id that cannot be named."""
    records = read_bytes(PARQUET)
    assert [one.passages[0].text for one in records] == list(TITLES)
    assert records[0].doc_id == "parquet:a"
    assert "CD4~+" in records[0].passages[1].text
    nameless = parquet(
        {"title": ["甲", None], "year": [date(2020, 1, 2), None], "other": [1, 2], "keywords": [["a"], []]}
    )
    first, second = read_bytes(nameless)
    assert (first.meta.year, first.meta.keywords, first.doc_id[:8]) == ("2020", ("a",), "parquet:")
    assert outcomes([first, second]) == ["Document", "missing_id"]


def test_files_that_are_none(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches damage that escapes as an exception of Arrow's, and a file that is kept without end."""
    assert outcomes(read_bytes(b"PAR1" + b"x" * 100)) == ["malformed"]
    assert outcomes(read_bytes(PARQUET[:-10])) == ["malformed"]
    assert outcomes(read_bytes(parquet({"other": [1]}))) == ["malformed"]
    broken = parquet({"id": ["1"], "text": [b"\xff\xfe"]})
    assert outcomes(read_bytes(broken)) == ["malformed"]
    monkeypatch.setattr(parquet_reader, "MAX_RECORD_BYTES", 100)
    assert outcomes(read_bytes(parquet({"id": ["1", "2"], "text": ["甲" * 200, "乙"]}))) == ["too_large", "Document"]
    monkeypatch.setattr(parquet_reader, "MAX_UNPACKED_BYTES", 10)
    assert outcomes(read_bytes(PARQUET)) == ["too_large"]
    monkeypatch.setattr(parquet_reader, "MAX_PARQUET_BYTES", 10)
    assert outcomes(read_bytes(PARQUET)) == ["too_large"]


def test_no_rows_are_no_records(read_bytes: ReadBytes) -> None:
    """Catches an empty table taken for a damaged one."""
    assert read_bytes(parquet({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})) == []
