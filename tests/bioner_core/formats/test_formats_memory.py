"""A large file is read in the memory that a small one takes."""

import subprocess
import sys
from pathlib import Path

import pytest
from dump_samples import article, articles

MEGABYTE = 1024 * 1024
FILE_BYTES = 60 * MEGABYTE
MOST_MEGABYTES = 40

MEASURE = """
import resource, sys
from bioner_core.formats.reader import read_records
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
count = sum(1 for _ in read_records(sys.argv[1]))
print(count, (peak() - before) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Catches records that stay in the tree after they have been read: 60 MB of XML would take some 500 MB."""
    one = article(f"<ArticleTitle>{'word ' * 200}</ArticleTitle>", data="<History><Year>2020</Year></History>" * 50)
    number = FILE_BYTES // len(one)
    path = tmp_path / "large.xml"
    path.write_bytes(articles(one * number))
    run = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    count, grown = map(int, run.stdout.split())
    assert count == number
    assert grown < MOST_MEGABYTES
