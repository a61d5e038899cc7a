"""The targets of the fuzzer, without the fuzzer: they take anything, and they notice what is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioner_core.formats.contract import ByteSource, PendingRecord
from bioner_core.formats.jsonl import JsonLinesReader
from bioner_core.formats.registry import READERS
from devtools import fuzz_targets
from devtools.fuzz_targets import TARGETS

INPUTS = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 20_000,
    b'{"a": [1, {"b": 1e999}]}',
    b"a = [\n",
    b"\x1f\x8b\x08\x00",
    b"MD5(a.gz)= ",
)


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {reader.name for reader in READERS}))
def test_small_files_end_in_errors_of_ours(name: str) -> None:
    """Would catch a traceback for a damaged note of a store, which stops every verb that reads it."""
    one_input = TARGETS[name]()
    for data in INPUTS:
        one_input(data)


# Found by coverage-guided fuzzing.
FOUND = {
    "ledger_entry": b'{"kind": "pubmed", "name": "a", "order": [1], "input_key": "k", "bytes": 1, "md5": "", '
    b'"sha256": "", "stamp": "", "fingerprint": "", "run_id": "", "applied": "", "seconds": 1, "rows_sent": 1, '
    b'"counts": {"rs": 1}}',
    "gold_conll": b"IL-2\tB-protein\n\tO\n",
    "vocabulary_gene-info": b"#tax_id\rGeneID\n",
    "vocabulary_table": b"id,name\rsynonyms\n",
    "ledger_run": b'{"run_id": "", "job": "", "started": "", "seconds": 1, "applied": [], "exit_code": 0, '
    b'"message": "", "counts": {"row_2ejects": 0}}',
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_fixed(name: str) -> None:
    """Would catch the return of a finding."""
    TARGETS[name]()(FOUND[name])


def test_folders_of_targets_go_with_their_process(tmp_path: Path) -> None:
    """Would catch a fuzzer that leaves a folder per target and per run among temporary files."""
    made = "from devtools.fuzz_targets import TARGETS; TARGETS['gold_brat'](); TARGETS['plan']()(b'{}'); "
    told = "import os, tempfile; print(len(os.listdir(tempfile.gettempdir())))"
    words = [sys.executable, "-c", made + told]
    done = subprocess.run(words, env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 2
    assert not list(tmp_path.iterdir())


class Forgetful(JsonLinesReader):
    """Counts one record too few when it is asked again."""

    asked = 0

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """All records, the second time without the last."""
        self.asked += 1
        found = list(super().scan(stream))
        return iter(found if self.asked == 1 else found[:-1])


def test_a_reader_that_counts_otherwise_than_it_reads_is_noticed() -> None:
    """Would catch a fuzzer that runs for hours over a defect that loses records."""
    with pytest.raises(AssertionError, match="1 records are counted, and 2 read"):
        fuzz_targets._of_reader(Forgetful())(b'{"text": "a"}\n{"text": "b"}\n')
