"""Files of nothing but line ends: two gigabytes of them pack to two megabytes."""

import gzip
from pathlib import Path

import pytest

from bioner_core.formats import encoding
from bioner_core.formats.contract import MAX_BLANK_BYTES
from bioner_core.formats.reader import read_records, summarise_input
from bioner_core.records import Reject, RejectReason

HEADS = {
    "jsonl": '{"text": "CD28 binds"}\n',
    "cnki_noteexpress": "{Reference Type}: Journal Article\n{Title}: CD28 binds\n\n",
    "cnki_refworks": "RT Journal Article\nSR 1\nT1 CD28 binds\n\n",
    "nbib": "PMID- 1\nTI  - CD28 binds\n\n",
    "pubtator": "1|t|CD28 binds\n1|a|It is so.\n\n",
    "ris": "TY  - JOUR\nTI  - CD28 binds\nER  - \n\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_blank_lines_without_end_are_given_up(tmp_path: Path, name: str) -> None:
    """Would catch hours of processor time for a file of two megabytes; the first record, where it is whole, stays."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(HEADS[name].encode())
        for _ in range(3):
            packed.write(b"\n" * (1 << 20))
    *before, last = read_records(str(path), format_name=name)
    assert isinstance(last, Reject)
    assert last.reason is RejectReason.TOO_LARGE
    assert "blank" in last.message
    assert len(before) <= 1
    assert last.lost_bytes >= 1 << 20 or name != "jsonl"
    assert summarise_input(str(path), format_name=name).records == len(before) + 1


def test_blank_lines_between_records_are_read_over(tmp_path: Path) -> None:
    """Would catch a budget that a long file uses up although each of its gaps is small."""
    path = tmp_path / "a.jsonl"
    gap = "\n" * (MAX_BLANK_BYTES // 3)
    path.write_text(gap.join([HEADS["jsonl"]] * 5))
    assert len(list(read_records(str(path)))) == 5


def test_lines_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a gigabyte of lines of one letter each."""
    monkeypatch.setattr(encoding, "MAX_TEXT_LINES", 1000)
    path = tmp_path / "a.txt"
    path.write_text(HEADS["cnki_refworks"] + "x\n" * 2000)
    [last] = read_records(str(path), format_name="cnki_refworks")
    assert isinstance(last, Reject)
    assert "1000 lines" in last.message
