"""The bench of the readers."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records
from devtools import bench_readers


def test_the_synthetic_file_is_whole(tmp_path: Path) -> None:
    """Catches a bench over a file that is broken, too small, or lacks the lists that real files are made of."""
    path = tmp_path / "dump.xml.gz"
    bench_readers.synthetic_update(path, megabytes=1)
    records = list(read_records(str(path)))
    assert all(isinstance(record, Document) for record in records)
    content = gzip.decompress(path.read_bytes())
    assert len(content) >= bench_readers.MEGABYTE
    assert content.count(b"<ReferenceList>") == content.count(b"<AuthorList ") == len(records) > 50


def test_one_run_gives_both_rates(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches figures of different files, or of one reader alone, behind a ratio."""
    pytest.importorskip("pubmed_parser", reason="needs the extra `dev`")
    assert bench_readers.main(["--megabytes", "1", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    ours, theirs = found["bioner"], found["pubmed_parser"]
    assert ours["citations"] == theirs["citations"] > 50
    assert found["ratio"] == pytest.approx(ours["citations_per_second"] / theirs["citations_per_second"])


def test_a_missing_yardstick_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a traceback where a package has to be installed."""
    monkeypatch.setitem(sys.modules, "pubmed_parser", None)
    assert bench_readers.main(["--megabytes", "1"]) == 2
    assert "pip install pubmed_parser" in capsys.readouterr().err


def test_a_file_without_citations_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a division by nothing on a file of another kind."""
    pytest.importorskip("pubmed_parser", reason="needs the extra `dev`")
    path = tmp_path / "other.gz"
    path.write_bytes(gzip.compress(b"<PubmedArticleSet></PubmedArticleSet>"))
    assert bench_readers.main(["--file", str(path)]) == 2
    assert "other.gz" in capsys.readouterr().err
