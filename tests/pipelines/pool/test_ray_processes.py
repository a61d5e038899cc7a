"""What a Ray that is over has left behind is ended, and nothing else."""

import os
import secrets
import subprocess
import sys

from pipelines.pool.ray_processes import end_marked, marked, marked_processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = (
    f"import subprocess; print(subprocess.Popen({SLEEP!r}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
)


def test_only_what_bears_the_mark_is_ended() -> None:
    """Catches a worker that outlives its Ray for minutes, and the end of a process of somebody else."""
    mark = secrets.token_hex(8)
    other = subprocess.Popen(SLEEP)
    with marked(mark):
        parent = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True)
        with marked(f"not-{mark}"):
            third = subprocess.Popen(SLEEP)
    orphan = int(parent.stdout)
    try:
        assert "BIONER_RAY" not in os.environ
        assert marked_processes(mark) == [orphan]
        assert end_marked(mark) == [orphan]
        assert end_marked(mark) == []
        assert (other.poll(), third.poll()) == (None, None)
    finally:
        for one in (other, third):
            one.kill()
            one.wait()
