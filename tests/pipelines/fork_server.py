"""Runs programs in processes that are forked from this one: each line is a JSON list of a program and its arguments.

The answer is a line with how the process ended, as `subprocess` numbers it. This process has loaded Beam and pyarrow
and started no thread: of a test that kills a job forty times, loading them was most.
"""

import json
import multiprocessing
import runpy
import sys
from pathlib import Path

import night_samples  # noqa: F401  loads what all programs need


def main() -> None:
    """Run a program for each line until there are no more."""
    forking = multiprocessing.get_context("fork")
    for line in sys.stdin:
        child = forking.Process(target=_run, args=json.loads(line))
        child.start()
        child.join()
        print(child.exitcode, flush=True)


def _run(program: str, *arguments: str) -> None:
    sys.stdout = sys.stderr  # answers alone go to the one who asked
    sys.argv = [program, *arguments]
    sys.path.insert(0, str(Path(program).parent))
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
