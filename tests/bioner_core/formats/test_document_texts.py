"""What is asked of every text of a document, whatever field it stands in."""

import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from dump_samples import ReadBytes, outcomes
from export_samples import sheet_rows, workbook

from bioner_core.documents import Document
from bioner_core.formats import contract
from bioner_core.formats.contract import ByteSource, Origin, PendingRecord, Reader
from bioner_core.records import Reject, RejectReason
from bioner_core.store.rows import documents_to_arrow

SURROGATE = "\ud800"


def text_fields(kind: Any, name: str = "document") -> Iterator[str]:
    """The places of all texts that a value of a type has, by the types of its fields: `document.meta.keywords[0]`."""
    if kind is str:
        yield name
    elif is_dataclass(kind):
        hints = get_type_hints(kind)
        for one in fields(kind):
            yield from text_fields(hints[one.name], f"{name}.{one.name}")
    elif get_origin(kind) in (Union, types.UnionType):
        yield from text_fields(next(one for one in get_args(kind) if one is not type(None)), name)
    elif get_origin(kind) is tuple:
        for index, one in enumerate(one for one in get_args(kind) if one is not Ellipsis):
            yield from text_fields(one, f"{name}[{index}]")


def made(kind: Any, place: str, text: str, name: str = "document") -> Any:
    """A value of a type with no tuple empty, and with `text` at one place."""
    if kind is str:
        return text if name == place else "x"
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{one.name: made(hints[one.name], place, text, f"{name}.{one.name}") for one in fields(kind)})
    if get_origin(kind) in (Union, types.UnionType):
        return made(next(one for one in get_args(kind) if one is not type(None)), place, text, name)
    if get_origin(kind) is tuple:
        kinds = [one for one in get_args(kind) if one is not Ellipsis]
        return tuple(made(one, place, text, f"{name}[{index}]") for index, one in enumerate(kinds))
    return kind()


class OneDocument(Reader):
    """A format that has one document."""

    name = source = "one"

    def __init__(self, document: Document) -> None:
        self.document = document

    def recognises(self, head: bytes) -> bool:
        return True

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        def pending(_: Origin) -> Document:
            return self.document

        yield pending


class Nothing:
    def read(self, size: int, /) -> bytes:
        return b""


PLACES = list(text_fields(Document))


def test_every_kind_of_text_is_looked_at() -> None:
    """Catches tests of every field that see none."""
    assert {"document.doc_id", "document.meta.ids[0][1]", "document.meta.headings[0].name"} < set(PLACES)
    [found] = OneDocument(made(Document, "", "")).read(Nothing(), input_file="a")
    assert isinstance(found, Document)
    assert documents_to_arrow([found]).num_rows == 1


@pytest.mark.parametrize("place", PLACES)
def test_an_unpaired_surrogate_is_refused_in_every_field(place: str) -> None:
    """Catches a field that nobody looks at: one such character in it, and its whole shard cannot be stored."""
    document = made(Document, place, f"a{SURROGATE}")
    with pytest.raises(UnicodeEncodeError):
        documents_to_arrow([document])
    [found] = OneDocument(document).read(Nothing(), input_file="a")
    assert isinstance(found, Reject)
    assert found.reason == RejectReason.BAD_CHARACTERS
    assert "U+D800" in found.message


@pytest.mark.parametrize("place", PLACES)
def test_a_document_is_weighed_with_every_field(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a field in which any number of characters may come."""
    monkeypatch.setattr(contract, "MAX_DOCUMENT_CHARACTERS", 1000)
    for size, kind in ((500, Document), (1001, Reject)):
        [found] = OneDocument(made(Document, place, "a" * size)).read(Nothing(), input_file="a")
        assert isinstance(found, kind)


def test_a_class_code_of_a_spreadsheet(read_bytes: ReadBytes) -> None:
    """Catches a cell whose escape is half a character: its row was a document that no table takes."""
    rows = [["题名", "分类号"], ["甲", "R5_xD800_"], ["乙", "R5"]]
    assert outcomes(read_bytes(workbook({"sheet1": sheet_rows(rows)}))) == ["bad_characters", "Document"]
