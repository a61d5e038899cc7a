"""Coverage-guided fuzzing of all that reads strangers' bytes: `python -m devtools.fuzz_readers --minutes 20`.

Needs the extra `fuzz` (atheris). Each target runs in a process of its own, under a memory limit, for its share of the
time; whatever is not one of bioner's own errors is a finding, and so is an input that takes longer than 20 seconds or
more memory than the limit. The input of a finding is kept in the folder of `--output`.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bioner_core.formats.catalogue import format_entries
from devtools.fuzz_targets import TARGETS

MEMORY_MEGABYTES = 2048
SLOWEST_SECONDS = 20
LONGEST_INPUT = 64 * 1024

_STATS = re.compile(r"stat::(\w+):\s+(\d+)")
_START = """
import sys, atheris
with atheris.instrument_imports(include=["bioner_core", "pipelines"]):
    from devtools.fuzz_targets import TARGETS
atheris.Setup(sys.argv[1:], TARGETS[{name!r}]())
atheris.Fuzz()
"""


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """How one target did: inputs tried, peak memory in MB, and the last words of a finding, if there is one."""

    target: str
    inputs: int
    peak_megabytes: int
    finding: str


def fuzz(target: str, *, seconds: int, seeds: Path | None, output: Path) -> FuzzResult:
    """Fuzz one target in a process of its own."""
    kept = output / target
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bioner-fuzz-") as corpus:
        for number, seed in enumerate(_seeds(target, seeds)):
            Path(corpus, f"seed-{number}").write_bytes(seed[:LONGEST_INPUT])
        words = [
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={MEMORY_MEGABYTES}",
            f"-timeout={SLOWEST_SECONDS}",
            f"-max_len={LONGEST_INPUT}",
            f"-artifact_prefix={kept}/",
            "-print_final_stats=1",
            corpus,
        ]
        command = [sys.executable, "-c", _START.format(name=target), *words]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    stats = dict(_STATS.findall(done.stderr))
    finding = "" if done.returncode == 0 else _last_words(done.stdout + done.stderr)
    if not finding:
        _remove_if_empty(kept)
    return FuzzResult(target, int(stats.get("number_of_executed_units", 0)), int(stats.get("peak_rss_mb", 0)), finding)


def _last_words(output: str) -> str:
    """The end of what a child said, without its account of what it instruments."""
    return "\n".join([line for line in output.splitlines() if not line.startswith("INFO:")][-40:])


def _seeds(target: str, folder: Path | None) -> list[bytes]:
    found = [entry.example.encode() for entry in format_entries() if entry.name == target]
    if folder is not None:
        found += [path.read_bytes() for path in sorted(folder.glob(f"{target}/*")) if path.is_file()]
    return found or [b"{}"]


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def main() -> int:
    """Fuzz the targets; returns 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m devtools.fuzz_readers", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="for all targets together")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one; repeatable")
    parser.add_argument("--seeds", type=Path, help="folder with a folder of sample files for each target")
    parser.add_argument("--output", type=Path, default=Path("build/fuzz"), help="where inputs of findings go")
    chosen = parser.parse_args()
    targets = chosen.target or sorted(TARGETS)
    seconds = max(1, round(chosen.minutes * 60 / len(targets)))
    found = []
    for name in targets:
        result = fuzz(name, seconds=seconds, seeds=chosen.seeds, output=chosen.output)
        found.append(result)
        state = "FOUND" if result.finding else "ok"
        print(f"{state:6}{name:24}{result.inputs:10} inputs  {result.peak_megabytes:6} MB", flush=True)
        if result.finding:
            print(result.finding, flush=True)
    inputs = sum(one.inputs for one in found)
    print(
        f"{len(found)} targets, {seconds} s each, {inputs} inputs, {sum(bool(one.finding) for one in found)} findings"
    )
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    return 1 if any(one.finding for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
