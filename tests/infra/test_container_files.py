"""Container files: linted, and built from what is there. No image is built here."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from command_lines import INFRA, REPOSITORY

CONTAINER_FILES = sorted(INFRA.rglob("Containerfile"))
IMAGES = INFRA / "containers" / "Containerfile"
HADOLINT = Path(sys.executable).parent / "hadolint"


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    """Lint one container file; also for rules of good style."""
    words = [str(HADOLINT), "--no-color", "--failure-threshold", "style", str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def sources(path: Path) -> list[str]:
    """What a container file copies from its context."""
    copies = re.findall(r"^COPY (?!--from)(.+)$", path.read_text(), flags=re.MULTILINE)
    return [word for copy in copies for word in copy.split()[:-1] if not word.startswith("--")]


def allowed(name: str) -> bool:
    """Whether the ignore file lets a file of the context through; the last line that fits decides."""
    kept = True
    for line in (INFRA / "containers" / "Containerfile.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        parts = [name, *(str(parent) for parent in Path(name).parents if str(parent) != ".")]
        fits = pattern and not line.startswith("#") and any(_fits(part, pattern) for part in parts)
        kept = line.startswith("!") if fits else kept
    return kept


def _fits(name: str, pattern: str) -> bool:
    return fnmatch(name, pattern) if "/" in pattern or pattern != "*" else "/" not in name


@pytest.mark.parametrize("path", CONTAINER_FILES, ids=lambda path: str(path.relative_to(INFRA)))
def test_container_files_are_clean(path: Path) -> None:
    """Catches what hadolint and its built-in ShellCheck know: unpinned images, broken RUN lines, bad habits."""
    done = lint(path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    """Catches a linter that is not there, or is called so that it passes anything."""
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM python:latest\nRUN cd /x && apt-get install -y $A\n")
    done = lint(bad)
    assert done.returncode == 1
    assert {"DL3007", "DL3008", "SC2086"} <= set(re.findall(r"[DS][LC]\d{4}", done.stdout))


def test_what_is_copied_is_there_and_sent() -> None:
    """Catches a build that stops at COPY: a file that was renamed, or that the ignore file holds back."""
    assert {"pyproject.toml", "constraints.txt", "NOTICE", "bioner", "bioner_core", "pipelines", "jobs"} <= set(
        sources(IMAGES)
    )
    for name in sources(IMAGES):
        assert (REPOSITORY / name).exists(), name
        assert allowed(name), name
    dataflow = INFRA / "beam" / "dataflow"
    assert all((dataflow / name).exists() for name in sources(dataflow / "Containerfile"))


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("bioner_core/models/bundled/smollm2/model.toml", True),
        ("bioner_core/training/recipes/default_gpu.toml", True),
        ("jobs/main.py", True),
        ("jobs/__pycache__/main.pyc", False),
        (".git/config", False),
        ("demo-store/CURRENT", False),
        (".venv/bin/python", False),
        ("tests/conftest.py", False),
    ],
)
def test_nothing_is_sent_that_is_not_needed(name: str, sent: bool) -> None:
    """Catches an image with a store, a history or credentials in it, and one that lacks the model."""
    assert allowed(name) is sent


def test_dataflow_starts_workers_among_the_packages() -> None:
    """Catches a worker that Beam's boot program puts into a virtual environment of its own, without bioner and Ray."""
    lines = (INFRA / "beam" / "dataflow" / "Containerfile").read_text().splitlines()
    assert "ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1" in lines[lines.index("FROM ${BIONER_IMAGE}") :]


def test_images_are_built_from_the_lock_and_run_without_root() -> None:
    """Catches an install that leaves the tested versions, another Python, or a final stage that runs as root."""
    text = IMAGES.read_text()
    for line in text.replace("\\\n", " ").splitlines():
        if "pip install" in line:
            assert "--constraint constraints.txt" in line, line
    required = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    assert required == ">=3.11"
    assert "PYTHON_IMAGE=python:3.11." in text
    stages = re.split(r"^FROM .+ AS (\S+)$", text, flags=re.MULTILINE)
    finals = dict(zip(stages[1::2], stages[2::2], strict=True))
    for target in ("cpu", "cuda"):
        assert "USER 10001:10001" in finals[target]
    assert 'ENTRYPOINT ["bioner"]' in finals["runtime"]
