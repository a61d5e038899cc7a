"""Damaged and random exports of every kind: nothing but records and rejects comes out, and ranges add up."""

import gzip
import io
import json
import zipfile

import pytest
from dump_samples import E_STUDY, END_NOTE, NOTE_EXPRESS, REF_WORKS, ReadBytes, outcomes
from export_samples import COLUMNS, EXPORT_FORMS, parquet, sheet_rows, workbook
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_core.documents import Document
from bioner_core.formats.typography import with_codes, without_codes
from tests.fuzz_length import for_long

FORMS = {
    **EXPORT_FORMS,
    "cnki_noteexpress": NOTE_EXPRESS.encode(),
    "cnki_refworks": REF_WORKS.encode(),
    "cnki_endnote": END_NOTE.encode(),
    "estudy": E_STUDY.encode(),
}
_NAMES = {"estudy": "cnki_estudy"}
_BYTES = [
    b"<!--", b"]]>", b"&#0;", b"<![CDATA[", b"\r", b"%0 ", b"RT ", b"{}", b"\xff", b"\0", b"<br>", b"~(", b"</record>",
    b"\x80", "【来源篇名】".encode(), b"PT J", b"\t", b'"', b"<!ENTITY a 'b'>", b"<tr>", b"&a;", b"[1]a[J]", b"\\ud800",
]  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=8) | st.sampled_from(_BYTES)), max_size=4
)
WORDS = st.text(
    st.sampled_from("甲乙目的CD4~+_(2)AB PT%0\n\r\t;；<正>&lt;/\"'{}[]:：-,.=0\u2028\ufeff\x0b𠀀") | st.characters(),
    max_size=20,
)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """A copy with bytes removed and others put in, at relative places."""
    for place, removed, added in damage:
        at = int(place * len(content))
        content = content[:at] + added + content[at + removed :]
    return content


def check(content: bytes, form: str | None, read_bytes: ReadBytes, *, cut: int = 1) -> None:
    """Records are numbered without gaps, two ranges join to the whole, and every document can be stored as it is."""
    records = read_bytes(content, format_name=form)
    numbers = [one.meta.record_number if isinstance(one, Document) else one.record_number for one in records]
    assert numbers == list(range(len(records)))
    ranges = read_bytes(content, format_name=form, last=cut) + read_bytes(content, format_name=form, first=cut)
    assert ranges == records
    for document in (one for one in records if isinstance(one, Document)):
        check_document(document)


def check_document(document: Document) -> None:
    """No passage is empty or cannot be encoded, and each code stands at a place of its passage."""
    assert document.passages
    assert document.doc_id.startswith(f"{document.source}:")
    for index, passage in enumerate(document.passages):
        passage.text.encode()
        assert passage.text.strip()
        codes = [(one.offset, one.code) for one in document.meta.removed_codes if one.passage_index == index]
        written = with_codes(passage.text, codes)
        assert len(written) == len(passage.text) + sum(len(code) for _, code in codes)
        assert not codes or without_codes(written) == (passage.text, tuple(codes))


@settings(max_examples=200)
@given(form=st.sampled_from(sorted(FORMS)), damage=DAMAGE, packed=st.booleans(), cut=st.integers(0, 4))
def test_damaged_exports(
    form: str, damage: list[tuple[float, int, bytes]], packed: bool, cut: int, read_bytes: ReadBytes
) -> None:
    """Catches damage in the midst of a good export that escapes as an exception, or loses or doubles a record."""
    content = damaged(FORMS[form], damage)
    check(gzip.compress(content) if packed else content, _NAMES.get(form, form), read_bytes, cut=cut)


@pytest.mark.slow
@settings(max_examples=for_long(6000))
@given(form=st.sampled_from(sorted(FORMS)), damage=DAMAGE, named=st.booleans(), cut=st.integers(0, 4))
def test_damaged_exports_for_minutes(
    form: str, damage: list[tuple[float, int, bytes]], named: bool, cut: int, read_bytes: ReadBytes
) -> None:
    """The same, longer; also with the format found by content."""
    check(damaged(FORMS[form], damage), _NAMES.get(form, form) if named else None, read_bytes, cut=cut)


@pytest.mark.slow
@settings(max_examples=for_long(3000))
@given(
    form=st.sampled_from(sorted(FORMS)),
    content=st.binary(max_size=300) | WORDS.map(lambda text: text.encode(errors="surrogatepass")),
)
def test_random_bytes_under_any_name(form: str, content: bytes, read_bytes: ReadBytes) -> None:
    """Catches any bytes that a reader cannot turn down."""
    check(content, _NAMES.get(form, form), read_bytes)


@pytest.mark.parametrize("form", FORMS)
def test_cut_anywhere_never_yields_half_a_record(form: str, read_bytes: ReadBytes) -> None:
    """Catches a record that was cut off with its archive being given out as a whole one, in any format."""
    name = _NAMES.get(form, form)
    whole = read_bytes(FORMS[form], format_name=name)
    packed = gzip.compress(FORMS[form], mtime=0)
    for length in range(2, len(packed), 7):
        records = read_bytes(packed[:length], format_name=name)
        assert outcomes(records)[-1] == "truncated"
        assert records[:-1] == whole[: len(records) - 1]


@settings(max_examples=60)
@given(rows=st.lists(st.lists(WORDS, max_size=7), max_size=4), header=st.booleans())
def test_random_sheets(rows: list[list[str]], header: bool, read_bytes: ReadBytes) -> None:
    """Catches cells of any text, in any number, that break a sheet, or that change on the way."""
    kept = [["".join(c for c in cell if c.isprintable()) for cell in row] for row in rows]
    content = workbook({"sheet1": sheet_rows([list(COLUMNS), *kept] if header else kept)})
    check(content, "xlsx", read_bytes)


@settings(max_examples=60)
@given(
    replaced=st.sampled_from(["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"]),
    content=st.binary(max_size=60) | st.sampled_from([b"<sst>", b"<worksheet><row><c/></row></worksheet>", b"<a/>"]),
)
def test_random_parts_of_a_spreadsheet(replaced: str, content: bytes, read_bytes: ReadBytes) -> None:
    """Catches a part that is no XML, of another kind, or empty."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(EXPORT_FORMS["xlsx"])) as good, zipfile.ZipFile(packed, "w") as archive:
        for name in good.namelist():
            archive.writestr(name, content if name == replaced else good.read(name))
    check(packed.getvalue(), "xlsx", read_bytes)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["text", "section", "lang", "ids", "kind", "value", "removed_codes", "offset", "passage_index", "code", "year"]
    ), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_FIELDS = st.dictionaries(
    st.sampled_from(
        ["id", "text", "title", "abstract", "keywords", "passages", "lang", "version", "meta", "year", "doi", "link"]
    ),
    _VALUES,
    max_size=6,
)


@settings(max_examples=200)
@given(lines=st.lists(_FIELDS, min_size=1, max_size=3))
def test_random_objects_of_json_lines(lines: list[dict[str, object]], read_bytes: ReadBytes) -> None:
    """Catches a field of any kind in any place that escapes as an exception instead of rejecting its line."""
    content = "\n".join(json.dumps(line) for line in lines).encode()
    assert len(read_bytes(content, format_name="jsonl")) == len(lines)
    for document in read_bytes(content, format_name="jsonl"):
        if isinstance(document, Document):
            assert all(passage.text.strip() for passage in document.passages)


@settings(max_examples=100)
@given(key=WORDS, value=_VALUES)
def test_random_answers_of_the_web_service(key: str, value: object, read_bytes: ReadBytes) -> None:
    """Catches an answer of any shape that escapes as an exception."""
    for answer in ({"code": 1, "data": [{"key": key, "value": value}, value]}, {"data": value}, value):
        check(json.dumps(answer).encode(), "cnki_web_export", read_bytes)


@settings(max_examples=40)
@given(
    columns=st.dictionaries(
        st.sampled_from(["id", "text", "title", "abstract", "keywords", "year", "version", "meta", "other"]),
        st.lists(st.none() | st.integers(-5, 2**40), min_size=2, max_size=2)
        | st.lists(WORDS, min_size=2, max_size=2)
        | st.lists(st.lists(WORDS, max_size=2), min_size=2, max_size=2)
        | st.lists(st.dates(), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_random_columns_of_parquet(columns: dict[str, list[object]], read_bytes: ReadBytes) -> None:
    """Catches a column of any type that escapes as an exception instead of rejecting its rows."""
    cleaned = {name: [_encodable(value) for value in values] for name, values in columns.items()}
    check(parquet(cleaned), "parquet", read_bytes)


def _encodable(value: object) -> object:
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
