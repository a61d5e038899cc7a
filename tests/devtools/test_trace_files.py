"""The trace sees the files that run in every process of a command, and no others."""

from pathlib import Path

import pytest

from devtools.trace_files import PACKAGES, REPOSITORY, SHORT, trace

MOST_FILES = 111
"""Of `bioner annotate` without a model; it grows only with a reason (docs/architecture.md)."""

WHOLE_THOUGH_SHORT = {
    "bioner_core/formats/document_texts.py": "every stored text of a document: what is weighed, and must be Unicode",
    "bioner_core/formats/languages.py": "the table of language codes, with a dozen users",
    "bioner_core/formats/mathml.py": "formulas as PubMed's and JATS's readers take them",
    "bioner_core/formats/short_memory.py": "what readers remember of texts that come often, and never of long ones",
    "bioner_core/inference/annotation.py": "the contract of all annotators, with some twenty users; imports no torch",
    "bioner_core/inference/placement.py": "evaluation places candidates too, and runs where there is no pyarrow",
    "bioner_core/models/precision.py": "the precisions by name, with some twenty users; measures nothing",
    "bioner_core/models/processor.py": "what the system says of a processor: benches and runs ask; no torch",
    "bioner_core/process_memory.py": "the most memory of this process: runs and training tell it; imports no torch",
    "bioner_core/spoken.py": "counts in words, with some forty users; one rule for the plural",
    "bioner_core/store/manifest_cache.py": "state of a process, named and alone: manifests that need no second request",
    "bioner_core/store/mention_ids.py": "ids of mentions: models and evaluation make them where there is no pyarrow",
    "bioner_core/store/names.py": "one listing for all inputs, so that planning stays linear; has its own tests",
    "bioner_core/store/paths.py": "the type of every path into a store, with some forty users; imports no pyarrow",
    "bioner_core/text/units.py": "tagging, decoding and budgets go by it; has tests of its own",
    "bioner_core/store/stored_record.py": "manifests, plans, ledger and reports of a newer bioner: one rule",
    "jobs/runs/locking.py": "three modules take the lock by it; a session imports Beam, which two of them do not need",
    "jobs/runs/row_rates.py": "the rate of the last run of a kind, kept for the next; sessions are long already",
    "jobs/terminal/damage.py": "nine commands tell damage; in the console's module, --help would load pyarrow",
    "pipelines/plan_record.py": "the plan of one input, kept for reruns; has tests of its own",
    "pipelines/shard_input.py": "where an input is being read: runs and retries both go on from there",
    "pipelines/watch/polling.py": "looking again and again: notes, followers and views of a store all do",
    "pipelines/watch/progress.py": "the contract of whoever is told of progress, with some ten users",
}
"""Modules of a run that are one idea in fewer than `SHORT` lines, and why."""

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
import bioner_core.formats.pubmed_loss
"""


def test_files_of_threads_and_child_processes_are_seen(tmp_path: Path) -> None:
    """Catches a trace that misses actors and Beam workers, or counts what was only imported, or called by an import."""
    found = trace(["-c", FORKS], folder=tmp_path)
    assert {"bioner_core/text/units.py", "bioner_core/text/sentences.py"} <= set(found.files)
    assert "bioner_core/tagging/moves.py" not in found.files
    assert not [one for one in found.files if "/formats/" in one], "pubmed_loss calls `_names` when it is imported"
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
    assert set(found.short) <= set(WHOLE_THOUGH_SHORT)
