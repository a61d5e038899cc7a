"""Plain text files, one document each."""

from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.errors import InputError
from bioner_core.formats.folder_inputs import find_inputs
from bioner_core.formats.reader import read_records
from bioner_core.records import Reject, RejectReason


def test_a_file_is_a_document_with_the_offsets_of_the_file(tmp_path: Path) -> None:
    """Would catch text that is trimmed, so that offsets are not those of the file, and lost Chinese encodings."""
    for name, content, lang in (("a.txt", "  p53 fell.\n\nIt rose.\n", "en"), ("b.txt", "血压升高。患者好转。", "zh")):
        (tmp_path / name).write_bytes(content.encode("gb18030" if lang == "zh" else "utf-8"))
        [document] = read_records(str(tmp_path / name), format_name="text")
        assert isinstance(document, Document)
        [passage] = document.passages
        assert (passage.text, passage.lang, document.lang) == (content, lang, lang)
        assert document.doc_id == f"text:{tmp_path / name}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01PNG", RejectReason.MALFORMED),
        (b" \n ", RejectReason.EMPTY_FILE),
        (b"ab\xff\xff\xff", RejectReason.BAD_ENCODING),
    ],
)
def test_what_is_no_text_is_a_reject(tmp_path: Path, content: bytes, reason: RejectReason) -> None:
    """Would catch a picture that is annotated as text."""
    path = tmp_path / "in.txt"
    path.write_bytes(content)
    [reject] = read_records(str(path), format_name="text")
    assert isinstance(reject, Reject)
    assert reject.reason is reason


def test_plain_text_is_read_only_where_it_is_named(tmp_path: Path) -> None:
    """Would catch a README beside dumps that becomes a document, and a message that does not say what to do."""
    path = tmp_path / "README"
    path.write_text("Just some words.", encoding="utf-8")
    [reject] = read_records(str(path))
    assert isinstance(reject, Reject)
    assert "--format text" in reject.message
    with pytest.raises(InputError, match="plain text"):
        find_inputs([str(tmp_path)])
    assert find_inputs([str(tmp_path)], format_name="text").files == (str(path),)
