"""The comparison of two checkouts' readers: that it reads with each and tells them apart."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from devtools.compare_readers import compare_readers, main

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SAMPLE = Path(str(files("bioner_core.samples").joinpath("pubmed26n0001.xml")))


def test_each_checkout_reads_with_its_own_code(tmp_path: Path) -> None:
    """Catches a comparison of this checkout with itself, whose ratios would always be about 1."""
    old = tmp_path / "bioner_core" / "formats"
    old.mkdir(parents=True)
    for folder in (old.parent, old):
        (folder / "__init__.py").touch()
    (old / "reader.py").write_text("def read_records(name):\n    return range(7)\n", encoding="utf-8")
    [found] = compare_readers(tmp_path, REPOSITORY, files=[SAMPLE], rounds=1)
    assert (found.form, found.files, found.old_records) == ("samples", 1, 7)
    assert found.new_records > 7
    assert found.ratio > 1


def test_a_folder_without_readers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a mistyped checkout in whose place the readers of an installed bioner are measured."""
    assert main([str(tmp_path), str(SAMPLE), "--rounds", "1"]) == 2
    assert "name a checkout" in capsys.readouterr().err


def test_a_table_has_a_line_for_each_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches files of several forms in one figure, which hides the form that has become slow."""
    for form in ("one", "two"):
        (tmp_path / form).mkdir()
        (tmp_path / form / "records.jsonl").write_text('{"id": "1", "text": "CD28 binds."}\n', encoding="utf-8")
    paths = [str(tmp_path / form / "records.jsonl") for form in ("one", "two")]
    assert main([str(REPOSITORY), *paths, "--rounds", "1", "--json"]) == 0
    assert [one["form"] for one in json.loads(capsys.readouterr().out)] == ["one", "two"]
