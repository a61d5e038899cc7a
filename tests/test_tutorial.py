"""The tutorial, run as it is printed."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bioner_core.models.base_model import is_pulled
from bioner_core.models.bases import SMOLLM2
from bioner_core.store.history.current_rows import current_mentions
from bioner_core.store.layout import Store
from jobs.main import run_command
from tests.jobs.job_stores import word_store

REPOSITORY = Path(__file__).resolve().parent.parent
TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
INSTALL = "make install model"


def blocks(kind: str) -> list[str]:
    """The blocks of the tutorial of one kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def shell_blocks() -> list[str]:
    """The shell blocks of the tutorial, in order, without the one that installs."""
    installing, *others = blocks("sh")
    assert installing.startswith(INSTALL)
    return others


def test_every_command_of_the_tutorial_is_in_a_block() -> None:
    """Catches a command that is printed with indentation, and so never run by the test below."""
    outside = re.sub(r"^```.*?^```$", "", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert not re.findall(r"^\s*bioner .*$", outside, flags=re.MULTILINE)


def test_the_label_set_is_printed_as_it_is() -> None:
    """Catches a definition on the page that is not the one which the commands below it use."""
    assert blocks("toml") == [(TUTORIAL.parent / "tutorial" / "species.toml").read_text(encoding="utf-8")]


def test_the_sentences_of_the_label_set_are_counted_as_they_are() -> None:
    """Catches a sentence that came or went while the page tells the old numbers."""
    folder = TUTORIAL.parent / "tutorial"
    train, test = (
        [json.loads(line) for line in (folder / f"species_{part}.jsonl").read_text(encoding="utf-8").splitlines()]
        for part in ("train", "test")
    )
    marked = sum(bool(one["entities"]) for one in train)
    page = " ".join(TUTORIAL.read_text(encoding="utf-8").split())
    assert f"{len(train)} sentences lie beside the label set" in page
    assert f"{marked} that mark organisms and {len(train) - marked} that have none" in page
    assert f"{len(test)} test sentences prove nothing about quality, and {len(train)} are far too few" in page


@pytest.mark.slow
@pytest.mark.timeout(1_600)
@pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`")
def test_the_tutorial_runs_as_it_is_printed(tmp_path: Path) -> None:
    """Catches an option that was renamed, a file that moved, or a step that only works where it was written."""
    for part in ("docs/tutorial", "bioner_core/samples"):
        shutil.copytree(REPOSITORY / part, tmp_path / part)
    command = tmp_path / "bin" / "bioner"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jobs.main "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PATH": f"{command.parent}:{os.environ['PATH']}"}
    *steps, cleaning = shell_blocks()
    done = subprocess.run(
        ["bash", "-euxc", "".join(steps)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1_500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert re.search(r"cisplatin", done.stdout, flags=re.IGNORECASE)
    assert "<html" in (tmp_path / "article.html").read_text(encoding="utf-8")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "graph" / "nodes.tsv").stat().st_size > 1_000
    before, after = (float(one) for one in re.findall(r"^all +\S+ +\S+ +(\S+)", done.stdout, flags=re.MULTILINE))
    assert after > before
    subprocess.run(["bash", "-euc", cleaning], cwd=tmp_path, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "bioner_core", "docs"]


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_all_mentions_come_as_one_table(page: str, tmp_path: Path) -> None:
    """Catches a column that was renamed, or a quote that a shell takes away, in the line for the whole result."""
    lines = [one.strip() for one in (REPOSITORY / page).read_text(encoding="utf-8").splitlines()]
    [line] = [one for one in lines if one.startswith("bioner query") and one.endswith("--output mentions.csv")]
    store, table = word_store(tmp_path), tmp_path / "mentions.csv"
    program, verb, option, _, *others, _ = shlex.split(line)
    assert (program, option) == ("bioner", "--store")
    assert run_command([verb, option, str(store), *others, str(table)]) == 0
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {(row["doc_id"], int(row["start"]), int(row["end"]), row["text"], row["type"]) for row in rows}
    accepted = [one for one in current_mentions(Store(store)) if one.accepted]
    assert found == {(one.doc_id, one.start, one.end, one.text, one.type) for one in accepted}
    assert len(rows) == len(accepted) > 0
    assert all(row["passage_index"] and float(row["selector_score"]) > 0 for row in rows)
