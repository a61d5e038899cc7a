"""The readers of two checkouts on the same files: `python -m devtools.compare_readers OLD_CHECKOUT FILE...`.

Each checkout has a process of its own, and the two read each file in turn, round after round, so that other work of the
machine meets both alike. Seconds are those of the processor, the least of all rounds per file, summed by the folder
that a file lies in: name folders after forms. Caches of the readers are emptied before each file, as if it were the
first of its kind; code is loaded in a round that does not count.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bioner_core.errors import EXIT_USAGE, BionerError, ConfigurationError
from jobs.terminal.console import say_error

_HERE = Path(__file__).resolve().parent.parent

# It must run in a checkout that knows nothing of this module, so it is handed over as text.
_WORKER = """
import functools, sys, time
import bioner_core
from bioner_core.formats.reader import read_records
print(bioner_core.__file__, flush=True)
for line in sys.stdin:
    modules = [module for name, module in sys.modules.items() if name.startswith("bioner_core.formats")]
    for one in {id(one): one for module in modules for one in vars(module).values()}.values():
        if isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()
    started = time.process_time()
    records = sum(1 for _ in read_records(line.rstrip()))
    print(time.process_time() - started, records, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the two took for the files of one folder. `ratio` is new through old, `median_ratio` that of the rounds."""

    form: str
    files: int
    old_records: int
    new_records: int
    old_seconds: float
    new_seconds: float
    median_ratio: float

    @property
    def ratio(self) -> float:
        """New seconds through old ones."""
        return self.new_seconds / self.old_seconds


class _Readers:
    """A process that reads files with the readers of one checkout."""

    def __init__(self, checkout: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _WORKER],
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        where = self._said()
        if not Path(where).is_relative_to(checkout):
            raise ConfigurationError(f"{checkout}: holds no bioner_core that can be imported; name a checkout")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.communicate()

    def read(self, file: Path) -> tuple[float, int]:
        """Processor seconds for a file, and its records."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{file}\n")
            self._process.stdin.flush()
        seconds, records = self._said().split() or ("", "")
        if not records:
            raise ConfigurationError(f"{file}: cannot be read by both checkouts; what went wrong stands above")
        return float(seconds), int(records)

    def _said(self) -> str:
        return self._process.stdout.readline().strip() if self._process.stdout is not None else ""


def compare_readers(old: Path, new: Path, *, files: Sequence[Path], rounds: int) -> list[Comparison]:
    """Read each file with both checkouts, `rounds` times and once before.

    Raises:
        ConfigurationError: a checkout has no readers, or a file cannot be read.
    """
    by_form: defaultdict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_form[file.resolve().parent.name].append(file.resolve())
    with _Readers(old.resolve()) as old_readers, _Readers(new.resolve()) as new_readers:
        return [_compared(form, ones, (old_readers, new_readers), rounds) for form, ones in by_form.items()]


def _compared(form: str, files: Sequence[Path], readers: tuple[_Readers, _Readers], rounds: int) -> Comparison:
    old, new = readers
    best: dict[Path, tuple[float, float]] = {}
    ratios: list[float] = []
    for number in range(rounds + 1):
        # Who reads first finds the file and the memory as the other one left them, so that changes.
        if number % 2:
            taken = {one: (old.read(one), new.read(one)) for one in files}
        else:
            taken = {one: (them, us) for one in files for us, them in [(new.read(one), old.read(one))]}
        if number:
            ratios.append(sum(us[0] for _, us in taken.values()) / sum(them[0] for them, _ in taken.values()))
            for one, ((old_s, _), (new_s, _)) in taken.items():
                least = best.get(one, (old_s, new_s))
                best[one] = min(least[0], old_s), min(least[1], new_s)
    return Comparison(
        form,
        files=len(files),
        old_records=sum(them[1] for them, _ in taken.values()),
        new_records=sum(us[1] for _, us in taken.values()),
        old_seconds=sum(old_s for old_s, _ in best.values()),
        new_seconds=sum(new_s for _, new_s in best.values()),
        median_ratio=round(statistics.median(ratios), 3),
    )


def main(words: Sequence[str]) -> int:
    """Compare and print a table; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.compare_readers", description="Time two checkouts' readers."
    )
    parser.add_argument("old", type=Path, help="a checkout of the version to compare with (git worktree add)")
    parser.add_argument("files", type=Path, nargs="+", help="files to read, grouped by the folder they lie in")
    parser.add_argument("--new", type=Path, default=_HERE, help="the other checkout (this one)")
    parser.add_argument("--rounds", type=int, default=15, help="how often each reads each file (15)")
    parser.add_argument("--json", action="store_true", help="one JSON array on standard output")
    config = parser.parse_args(words)
    try:
        found = compare_readers(config.old, config.new, files=config.files, rounds=max(1, config.rounds))
    except BionerError as error:
        say_error(str(error))
        return EXIT_USAGE
    if config.json:
        print(json.dumps([{**asdict(one), "ratio": round(one.ratio, 3)} for one in found]))
        return 0
    print("| form | files | records | old s | new s | ratio | median |\n| --- | --- | --- | --- | --- | --- | --- |")
    for one in found:
        records = (
            str(one.new_records) if one.new_records == one.old_records else f"{one.old_records}, {one.new_records}"
        )
        times = f"{one.old_seconds:.4f} | {one.new_seconds:.4f} | {one.ratio:.2f} | {one.median_ratio:.2f}"
        print(f"| {one.form} | {one.files} | {records} | {times} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
