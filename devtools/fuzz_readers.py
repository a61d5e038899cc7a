"""Coverage-guided fuzzing of all that reads strangers' bytes: `python -m devtools.fuzz_readers --minutes 20`.

Needs the extra `fuzz` (atheris). Each target runs in a process of its own, under a memory limit, for its share of the
time; whatever is not one of bioner's own errors is a finding, and so is an input that takes longer than 20 seconds or
more memory than the limit. The input of a finding is kept in the folder of `--output`.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY_MEGABYTES = 2048
SLOWEST_SECONDS = 20
LONGEST_INPUT = 64 * 1024

_STATS = re.compile(r"stat::(\w+):\s+(\d+)")
_INSTRUMENTED = [
    "bioner_core.formats",
    "bioner_core.gold",
    "bioner_core.concepts.readers",
    "bioner_core.store",
    "bioner_core.models.model_card",
    "bioner_core.typed_json",
]

OneInput = Callable[[bytes], None]
Targets = Mapping[str, Callable[[], OneInput]]


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """How one target did: inputs tried, peak memory in MB, and the last words of a finding, if there is one."""

    target: str
    inputs: int
    peak_megabytes: int
    finding: str


def fuzz(target: str, make: Callable[[], OneInput], *, seconds: int, seeds: Path | None, output: Path) -> FuzzResult:
    """Fuzz one target in a child of this process, whose code is instrumented already."""
    kept = output / target
    kept.mkdir(parents=True, exist_ok=True)
    with _folder_of_this_process() as folder:
        corpus, log = folder / "corpus", folder / "log"
        corpus.mkdir()
        for number, seed in enumerate(_seeds(target, seeds)):
            (corpus / f"seed-{number}").write_bytes(seed[:LONGEST_INPUT])
        words = [
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={MEMORY_MEGABYTES}",
            f"-timeout={SLOWEST_SECONDS}",
            f"-max_len={LONGEST_INPUT}",
            f"-artifact_prefix={kept}/",
            "-print_final_stats=1",
            str(corpus),
        ]
        failed = _in_child(make, words, log)
        said = log.read_text(errors="replace")
    stats = dict(_STATS.findall(said))
    if not any(kept.iterdir()):
        kept.rmdir()
    inputs, peak = (int(stats.get(name, 0)) for name in ("number_of_executed_units", "peak_rss_mb"))
    return FuzzResult(target, inputs, peak, _last_words(said) if failed else "")


@contextmanager
def _folder_of_this_process() -> Iterator[Path]:
    """A folder for the block. A child that leaves the block too does not remove it: its log is there."""
    owner = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix="bioner-fuzz-"))
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _in_child(make: Callable[[], OneInput], words: list[str], log: Path) -> bool:
    """Whether the child ended with anything but success."""
    atheris: Any = import_module("atheris")
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        atheris.Setup(["fuzz", *words], make())
        atheris.Fuzz()  # ends the process; after a finding by an exception, behind which its input is written
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def _last_words(output: str) -> str:
    """The end of what a child said, without its account of itself."""
    return "\n".join([line for line in output.splitlines() if not line.startswith(("INFO:", "#"))][-40:])


def _seeds(target: str, folder: Path | None) -> list[bytes]:
    entries = import_module("bioner_core.formats.catalogue").format_entries()
    found = [entry.example.encode() for entry in entries if entry.name == target]
    if folder is not None:
        found += [path.read_bytes() for path in sorted(folder.glob(f"{target}/*")) if path.is_file()]
    return found or [b"{}"]


def _instrumented_targets() -> Targets:
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=_INSTRUMENTED):
        targets: Targets = import_module("devtools.fuzz_targets").TARGETS
    return targets


def main() -> int:
    """Fuzz the targets; returns 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m devtools.fuzz_readers", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="for all targets together")
    parser.add_argument("--target", action="append", help="only this one; repeatable")
    parser.add_argument("--seeds", type=Path, help="folder with a folder of sample files for each target")
    parser.add_argument("--output", type=Path, default=Path("build/fuzz"), help="where inputs of findings go")
    chosen = parser.parse_args()
    made = _instrumented_targets()
    unknown = sorted(set(chosen.target or ()) - made.keys())
    if unknown:
        parser.error(f"no target {unknown[0]!r}; there are {', '.join(sorted(made))}")
    targets = chosen.target or sorted(made)
    seconds = max(1, round(chosen.minutes * 60 / len(targets)))
    found = [_told(fuzz(one, made[one], seconds=seconds, seeds=chosen.seeds, output=chosen.output)) for one in targets]
    findings = sum(bool(one.finding) for one in found)
    print(f"{len(found)} targets, {seconds} s each, {sum(one.inputs for one in found)} inputs, {findings} findings")
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    return 1 if findings else 0


def _told(result: FuzzResult) -> FuzzResult:
    state = "FOUND" if result.finding else "ok"
    print(f"{state:6}{result.target:24}{result.inputs:10} inputs  {result.peak_megabytes:6} MB", flush=True)
    if result.finding:
        print(result.finding, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
