"""A gigabyte of PubMed XML: planned and read through in the memory that a small file takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.bench_readers import synthetic_update

MEGABYTES = 1000
MOST_MEGABYTES = 300

MEASURE = """
import resource, sys
from pathlib import Path
from bioner_core.store.layout import Store
from pipelines.plan import plan_input
from pipelines.shard_input import ShardInput
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
descriptors = plan_input(sys.argv[1], store=Store(Path(sys.argv[2])), shard_records=200)
with ShardInput() as source:
    read = sum(1 for one in descriptors for _ in source.records(one))
print(len(descriptors), read, sum(one.records for one in descriptors), (peak() - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_gigabyte_is_planned_and_read_in_bounded_memory(tmp_path: Path) -> None:
    """Records, descriptors or a plan that pile up: on a real release file the driver would run out of memory."""
    path = tmp_path / "pubmed26n9999.xml.gz"
    synthetic_update(path, megabytes=MEGABYTES)
    words = [sys.executable, "-c", MEASURE, str(path), str(tmp_path / "store")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    shards, read, planned, grown = map(int, done.stdout.split())
    assert shards > 100
    assert read == planned > 200 * (shards - 1)
    assert grown < MOST_MEGABYTES
