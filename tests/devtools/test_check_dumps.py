"""The check over a folder of dumps."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.job_commands import Finished

REPOSITORY = Path(__file__).resolve().parents[2]


def check(shared: Path, store: Path) -> Finished:
    """Run the check with the annotator that finds nothing."""
    words = ["--shared", str(shared), "--store", str(store), "--annotator", "null", "--json", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "devtools.check_dumps", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def write_list(shared: Path, dump: Path, records: int) -> None:
    """A list of one dump that claims so many records."""
    digest = hashlib.sha256(dump.read_bytes()).hexdigest()
    row = f"{dump.relative_to(shared / 'dumps')}\tpubmed_set\t{digest}\t{records}\n"
    (shared / "dumps" / "MANIFEST.tsv").write_text("file\tkind\tsha256\trecords\n" + row)


@pytest.mark.slow
def test_a_count_that_differs_ends_with_1(tmp_path: Path) -> None:
    """Catches a check that passes whatever the list says; deletions are no records of the list."""
    dump = tmp_path / "dumps" / "pubmed_set" / "sample.xml"
    dump.parent.mkdir(parents=True)
    dump.write_bytes((REPOSITORY / "bioner_core" / "samples" / "pubmed26n0001.xml").read_bytes())
    write_list(tmp_path, dump, records=13)
    right = check(tmp_path, tmp_path / "store")
    assert (right.code, json.loads(right.out)["different_files"]) == (0, {})
    write_list(tmp_path, dump, records=14)
    wrong = check(tmp_path, tmp_path / "store")
    assert (wrong.code, json.loads(wrong.out)["different_files"]) == (1, {str(dump): -1})


def test_a_folder_without_a_list_is_named(tmp_path: Path) -> None:
    """Catches an empty comparison that passes."""
    done = check(tmp_path, tmp_path / "store")
    assert (done.code, done.out) == (1, "")
    assert "MANIFEST.tsv" in done.err


@pytest.mark.slow
def test_every_real_dump_has_as_many_records_as_its_list_counts(shared_folder: Path, tmp_path: Path) -> None:
    """Catches a record of any real form that is lost or doubled on its way to the store."""
    done = check(shared_folder, tmp_path / "store")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["files"], found["listed_records"]) == (242, 4509)
    assert found["records_in"] == found["annotated"] + found["unchanged"] + found["deleted"] + found["rejected"]
    assert (found["annotated"], found["rejected"], found["deleted"], found["sound"]) == (4498, 11, 3, True)
