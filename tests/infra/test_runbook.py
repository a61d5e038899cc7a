"""The runbook's recipes, done on a small store: what it says to type works, and what it says to copy is enough."""

import re
import shutil
from pathlib import Path

import pytest
from command_lines import REPOSITORY, CommandLine, document_commands
from manifests import all_manifests

from bioner_core.inference.annotation import NullAnnotator
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from jobs.main import run_command
from pipelines.annotate import run_annotation
from tests.jobs.job_stores import null_job, word_store

RUNBOOK = REPOSITORY / "docs" / "operations.md"
LOOKS = ("status", "verify", "query", "report")
PLACES = {"--store": "store", "--html": "page.html", "--output": "answer.csv"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a snapshot."""
    made = word_store(tmp_path_factory.mktemp("runbook"))
    compact_store(Store(made))
    return made


def looking() -> list[CommandLine]:
    """The commands of the runbook's blocks that read a store."""
    return [one for one in document_commands(RUNBOOK) if one.words[0] in LOOKS and not one.mention]


def here(words: tuple[str, ...], folder: Path) -> list[str]:
    """The same words, with places in this folder."""
    options = ("", *words[:-1])
    return [
        str(folder / PLACES[option]) if option in PLACES else word for option, word in zip(options, words, strict=True)
    ]


@pytest.mark.parametrize("line", looking(), ids=lambda line: line.place)
def test_commands_that_read_a_store_work(line: CommandLine, store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Catches a query of the runbook that names a column or view which is not there, and an option that fails."""
    assert run_command(here(line.words, store.parent)) == 0, capfd.readouterr().err


def test_a_backup_without_what_can_be_made_anew_is_whole(store: Path, tmp_path: Path) -> None:
    """Catches a backup that leaves out something that counts, or keeps a pointer to what it left out."""
    [line] = [one for one in RUNBOOK.read_text().splitlines() if "rsync" in one and "--exclude" in one]
    left_out = re.findall(r"--exclude /(\S+)", line)
    restored = tmp_path / "restored"
    shutil.copytree(store, restored, ignore=lambda folder, _: left_out if Path(folder) == store else ())
    assert run_command(["verify", "--store", str(restored), "--quiet"]) == 0
    assert run_command(["compact", "--store", str(restored), "--quiet"]) == 0
    assert run_command(["verify", "--store", str(restored), "--quiet"]) == 0
    kept = {one.name for one in (restored / "snapshots").glob("[!.]*")}
    assert {one.rpartition("-")[2] for one in kept} == {
        one.name.rpartition("-")[2] for one in (store / "snapshots").glob("[!.]*")
    }


def test_a_store_goes_back_to_an_older_snapshot(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Catches a way back that leaves readers on the new snapshot, or a store that is not sound afterwards."""
    store = word_store(tmp_path)
    compact_store(Store(store))
    older = (store / "CURRENT").read_text()
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "new", "text": "p53"}\n')
    run_annotation(null_job(store, more), service_factory=NullAnnotator)
    compact_store(Store(store))
    assert (store / "CURRENT").read_text() != older
    assert documents(store, capfd) == 5

    (store / "CURRENT.next").write_text(older)
    (store / "CURRENT.next").rename(store / "CURRENT")
    assert documents(store, capfd) == 4
    assert run_command(["verify", "--store", str(store), "--quiet"]) == 0


def test_a_backfill_suspends_every_night_and_starts_it_again() -> None:
    """Catches a night that waits for the lock of a long backfill with a GPU in hand, and one that never comes back."""
    text = RUNBOOK.read_text()
    for one in all_manifests():
        if one.kind == "CronJob":
            name = one.content["metadata"]["name"]
            for state in ("true", "false"):
                assert f"""patch cronjob {name} -p '{{"spec": {{"suspend": {state}}}}}'""" in text
            assert re.search(rf"systemctl disable --now .*{name}\.timer", text)
            assert re.search(rf"systemctl enable --now .*{name}\.timer", text)


def documents(store: Path, capfd: pytest.CaptureFixture[str]) -> int:
    """How many documents readers see."""
    capfd.readouterr()
    assert run_command(["query", "--store", str(store), "SELECT count(*) FROM documents", "--format", "csv"]) == 0
    return int(capfd.readouterr().out.split()[-1])
