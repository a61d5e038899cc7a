"""The highest memory of a process."""

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
from bioner_core.process_memory import peak_memory
from pipelines.pool.load import forget_peak_memory
before = peak_memory()
block = b"x" * 100_000_000
grown = peak_memory()
del block
kept = peak_memory()
forget_peak_memory()
print(before, grown, kept, peak_memory())
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux can forget a peak")
def test_a_peak_is_kept_until_it_is_forgotten() -> None:
    """Catches the memory of now in place of the highest, kilobytes for bytes, or a peak of the run before."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    before, grown, kept, after = map(int, done.stdout.split())
    assert 1_000_000 < before < 1_000_000_000
    assert grown - before > 90_000_000
    assert kept > grown - 5_000_000, "the kernel counts in rounds of some pages"
    assert after < grown - 50_000_000
