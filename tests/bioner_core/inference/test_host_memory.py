"""How much memory the process can still have."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bioner_core.inference import host_memory
from bioner_core.inference.host_memory import available_memory


def group(root: Path, name: str, limit: str, used: int, *, cached: int = 0) -> None:
    """Write a control group's files."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 4 MB free and no limits, as files in a folder."""
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:   4000 kB\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/pod/box\n")
    monkeypatch.setattr(host_memory, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(host_memory, "_PROCESS", tmp_path / "self")
    monkeypatch.setattr(host_memory, "_GROUPS", tmp_path / "groups")
    return tmp_path


def test_the_machine_says_what_is_free(machine: Path) -> None:
    """Kilobytes taken for bytes, or the total for what is free."""
    assert available_memory() == 4000 * 1024


def test_a_container_has_less_than_its_machine(machine: Path) -> None:
    """An actor in a container that plans for the whole machine and is killed."""
    group(machine / "groups", "pod/box", "3000000", 1_000_000, cached=500_000)
    assert available_memory() == 2_500_000
    group(machine / "groups", "pod", "1000000", 900_000)
    assert available_memory() == 100_000
    group(machine / "groups", "pod", "max", 900_000)
    assert available_memory() == 2_500_000


def test_what_is_used_up_is_nothing(machine: Path) -> None:
    """A negative budget."""
    group(machine / "groups", "pod/box", "1000", 5000)
    assert available_memory() == 0


def test_without_any_files_half_of_the_machine_is_taken(machine: Path) -> None:
    """A crash where there is no /proc."""
    (machine / "meminfo").unlink()
    (machine / "self" / "cgroup").unlink()
    assert available_memory() > 100_000_000


def test_a_limit_on_the_address_space_counts() -> None:
    """A process with a limit of its own that plans past it."""
    code = (
        "import resource; from bioner_core.inference.host_memory import available_memory;"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, resource.RLIM_INFINITY)); print(available_memory())"
    )
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 400_000_000
