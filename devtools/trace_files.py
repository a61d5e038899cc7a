"""Which of our files have a function that runs in one `bioner annotate`: what a newcomer has to read to follow it.

    python -m devtools.trace_files [--annotator model|null] [INPUT...]

The command runs as always, with its Beam workers and Ray's actors; every process that it starts notes each of our files
when a function of it is first called. A module's own lines, and what they call when it is imported, do not count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("bioner", "bioner_core", "pipelines", "jobs")
SHORT = 80
"""Lines below which a module is a fragment, unless it is one idea with tests of its own."""

_FOLDER = "BIONER_TRACE_FOLDER"
_HOOK = f"""import os, sys, threading
folder, seen = os.environ.get({_FOLDER!r}), set()
ours = tuple(os.path.join({str(REPOSITORY)!r}, package, "") for package in {PACKAGES!r})
def importing(frame):
    while frame is not None:
        # The module that runs as the program is not imported: all that a process does is called by it.
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") != "__main__":
            if frame.f_code.co_filename.startswith(ours):
                return True
        frame = frame.f_back
    return False
if folder and not any("dashboard" in word or "log_monitor" in word for word in sys.orig_argv):  # Ray's own
    def note(frame, event, _):
        code = frame.f_code
        # Bit 1, CO_OPTIMIZED, tells functions from modules and bodies of classes, which run when they are imported.
        if event != "call" or code.co_filename in seen or not code.co_flags & 1 or code.co_name.startswith("<"):
            return
        if code.co_filename.startswith(ours) and not importing(frame.f_back):
            seen.add(code.co_filename)
            with open(os.path.join(folder, str(os.getpid())), "a") as file:  # a process may be killed at any moment
                file.write(code.co_filename + "\\n")
    threading.setprofile(note)
    sys.setprofile(note)
"""


@dataclass(frozen=True, slots=True)
class Trace:
    """The files of ours that ran, by their path in the repository, with their lines."""

    files: Mapping[str, int]

    @property
    def by_package(self) -> Counter[str]:
        """How many of them are in each package or folder two levels deep."""
        return Counter("/".join(name.split("/")[:-1][:2]) for name in self.files)

    @property
    def short(self) -> list[str]:
        """Those of fewer than `SHORT` lines."""
        return sorted(name for name, lines in self.files.items() if lines < SHORT)


def trace(command: Sequence[str], *, folder: Path) -> Trace:
    """Run a Python command, its words after the interpreter, and see which of our files ran in any of its processes.

    Raises:
        subprocess.CalledProcessError: the command failed; what it said is on standard error.
    """
    notes = folder / "notes"
    notes.mkdir()
    (folder / "sitecustomize.py").write_text(_HOOK, encoding="utf-8")
    paths = [str(folder), str(REPOSITORY), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {_FOLDER: str(notes), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run([sys.executable, *command], env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    noted = {Path(line) for note in notes.iterdir() for line in note.read_text(encoding="utf-8").splitlines()}
    return Trace({name: _lines(REPOSITORY / name) for path in sorted(noted) if (name := _own(path))})


def _own(path: Path) -> str:
    """The path in the repository of a file of ours; empty for any other."""
    if not path.is_relative_to(REPOSITORY):
        return ""
    name = path.relative_to(REPOSITORY).as_posix()
    return name if name.split("/")[0] in PACKAGES else ""


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def main(arguments: Sequence[str]) -> int:
    """Trace one run and print what ran; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.trace_files", description=__doc__)
    parser.add_argument("inputs", nargs="*", default=["bioner_core/samples/pubmed26n0001.xml"])
    parser.add_argument("--annotator", choices=("model", "null"), default="model")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bioner-trace-") as name:
        store = Path(name) / "store"
        words = ["annotate", *given.inputs, "--store", str(store), "--annotator", given.annotator, "--quiet"]
        found = trace(["-m", "jobs.main", *words], folder=Path(name))
    for package, count in sorted(found.by_package.items()):
        print(f"{count:4}  {package}")
    readers = found.by_package["bioner_core/formats"]
    print(
        f"{len(found.files)} files, {sum(found.files.values())} lines; {len(found.files) - readers} without the readers"
    )
    print(f"of fewer than {SHORT} lines:")
    for short in found.short:
        print(f"{found.files[short]:4}  {short}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
