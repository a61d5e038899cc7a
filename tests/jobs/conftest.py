"""The command line as a user types it: in this process where that is enough, in one of its own where it matters."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from job_commands import Command, Finished
from safetensors.numpy import save_file

from bioner_core.labels.label_set import default_label_sets
from bioner_core.models.base_model import pulled_folder
from bioner_core.models.bases import SMOLLM2
from bioner_core.models.directory import ROWS_FILE
from bioner_core.models.model_card import ModelCard, write_card
from bioner_core.tagging.scheme import TagScheme
from jobs.main import run_command

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def bioner(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process; quick."""

    def run(*arguments: object) -> Finished:
        capfd.readouterr()
        code = run_command([str(argument) for argument in arguments])
        return Finished(code, *capfd.readouterr())

    return run


@pytest.fixture
def bioner_process() -> Command:
    """Run the command line in a process of its own, with more environment if given."""

    def run(*arguments: object, **environment: str) -> Finished:
        words = [sys.executable, "-m", "jobs.main", *map(str, arguments)]
        done = subprocess.run(
            words,
            cwd=REPOSITORY,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    """The dumps that come with bioner."""
    folder = REPOSITORY / "bioner_core" / "samples"
    return [folder / "pubmed26n0001.xml", folder / "cnki_sample.txt"]


@pytest.fixture
def model_card(tmp_path: Path) -> Path:
    """A model directory with a card and rows of one number each: enough for all that is checked before it is loaded."""
    card = ModelCard(
        name="cardboard",
        base=SMOLLM2.name,
        base_sha256=SMOLLM2.sha256,
        scheme=TagScheme.INLINE,
        prompt_version="1",
        tags=tuple(one.tag for label_set in default_label_sets() for one in label_set.types),
        characters="",
        label_sets=tuple(label_set.name for label_set in default_label_sets()),
        training={"seed": 13},
        metrics={"genia dev": {"f1": 0.5}},
    )
    folder = tmp_path / "cardboard"
    folder.mkdir()
    write_card(card, folder)
    tags = len(card.tags)
    save_file({"added_rows": np.zeros((tags + 1, 1)), "move_rows": np.zeros((tags + 2, 1))}, folder / ROWS_FILE)
    return folder


@pytest.fixture
def pulled_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in which the base model seems to be, with no weights to speak of."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))
    folder = pulled_folder(SMOLLM2)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    save_file({"one": np.zeros(1)}, folder / "model.safetensors")
