"""The trace sees the files that run in every process of a command, and no others."""

from pathlib import Path

import pytest

from devtools.trace_files import PACKAGES, REPOSITORY, SHORT, trace

MOST_FILES = 105
"""Of `bioner annotate` without a model; it grows only with a reason (docs/architecture.md)."""

WHOLE_THOUGH_SHORT = {
    "bioner_core/inference/annotation.py": "the contract of all annotators, with some twenty users; imports no torch",
    "bioner_core/inference/placement.py": "evaluation places candidates too, and runs where there is no pyarrow",
    "bioner_core/text/units.py": "tagging, decoding and budgets go by it; has tests of its own",
    "jobs/terminal/damage.py": "nine commands tell damage; in the console's module, --help would load pyarrow",
    "pipelines/refinish.py": "what needs no model: asked before Beam is imported",
}
"""Modules of a run, readers and store aside, that are one idea in fewer than `SHORT` lines, and why."""

NOT_MEASURED = ("bioner_core/formats/", "bioner_core/models/", "bioner_core/store/")
"""What many runs share: its modules are as small as the formats and tables are."""

FORKS = """
import subprocess, sys, threading
from bioner_core.text.units import split_units
words = "from bioner_core.text.sentences import split_passage; from bioner_core.documents import Passage; "
words += "list(split_passage(Passage('t', '', 'en', 'One. Two.'), 0))"
subprocess.run([sys.executable, "-c", words], check=True)
thread = threading.Thread(target=split_units, args=("CD28",))
thread.start()
thread.join()
import bioner_core.tagging.moves
"""


def test_files_of_threads_and_child_processes_are_seen(tmp_path: Path) -> None:
    """Catches a trace that misses actors and Beam workers, or counts what was only imported."""
    found = trace(["-c", FORKS], folder=tmp_path)
    assert {"bioner_core/text/units.py", "bioner_core/text/sentences.py"} <= set(found.files)
    assert "bioner_core/tagging/moves.py" not in found.files
    assert found.by_package["bioner_core/text"] >= 2
    assert all(found.files[name] < SHORT for name in found.short)


@pytest.mark.slow
def test_one_annotate_runs_in_a_bounded_number_of_files(tmp_path: Path) -> None:
    """Catches a run that falls into ever more files, or into files that are pieces of one idea."""
    sample = REPOSITORY / "bioner_core" / "samples" / "pubmed26n0001.xml"
    words = (str(sample), "--store", str(tmp_path / "store"), "--annotator", "null")
    found = trace(["-m", "jobs.main", "annotate", *words, "--quiet"], folder=tmp_path)
    assert {"pipelines/shard.py", "pipelines/pool/actors.py", "bioner_core/store/shard_writer.py"} <= set(found.files)
    assert {name.split("/")[0] for name in found.files} <= set(PACKAGES)
    assert len(found.files) <= MOST_FILES
    assert {one for one in found.short if not one.startswith(NOT_MEASURED)} <= set(WHOLE_THOUGH_SHORT)
