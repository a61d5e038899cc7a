"""Break each promise in a copy of the project, and see whether the test that guards it notices.

    python -m tests.promises [--only WORD] [--page docs/promises.md]

Ends with 1 when a test passes although its promise is broken, or fails although nothing is.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.promises.promise import REPOSITORY, Promise, read_promises
from tests.promises.promises_page import Sighting, promises_page

_COPIED = ("bioner", "bioner_core", "pipelines", "jobs", "devtools", "tests", "pyproject.toml", "infra", "docs")
_SECONDS = 600


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument("--only", default="", help="only promises with this word")
    parser.add_argument("--page", type=Path, help="write the table of promises here")
    chosen = parser.parse_args(arguments)
    promises = [one for one in read_promises() if chosen.only.lower() in one.promise.lower()]
    with tempfile.TemporaryDirectory(prefix="bioner-promises-") as folder:
        sightings = [_break(one, Path(folder)) for one in promises]
    if chosen.page:
        chosen.page.write_text(promises_page(sightings), encoding="utf-8")
    missed = [one for one in sightings if not one.noticed]
    print(f"{len(sightings) - len(missed)} of {len(sightings)} broken promises were noticed")
    return 1 if missed else 0


def _break(promise: Promise, folder: Path) -> Sighting:
    copy = folder / "copy"
    for name in _COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "figures"))
        else:
            shutil.copy(source, copy / name)
    promise.break_in(copy)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", promise.test],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    shutil.rmtree(copy)
    # 1: tests ran and failed; anything else (no such test, broken import of pytest itself) guards nothing.
    sighting = Sighting(promise, done.returncode == 1, _what_was_seen(done.stdout))
    print(f"{'noticed' if sighting.noticed else 'MISSED '}  {promise.promise}: {sighting.seen}", flush=True)
    return sighting


def _what_was_seen(output: str) -> str:
    """The first line of the failure, also of one inside a group of them, or the last line that says something."""
    if found := re.search(r"^(?:E  |   *\| (?=\w+(?:Error|Exception)\b)) *(.+)$", output, flags=re.MULTILINE):
        return found[1].strip()
    return next((line for line in reversed(output.splitlines()) if line.strip(" !=")), "nothing")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
