"""`bioner pool` as a user types it; the slow tests start a real Ray and real actors."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from job_commands import Command

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from tests.waiting import await_true

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own for each test, its children included."""
    folder = tmp_path / "state"
    monkeypatch.setenv("BIONER_STATE", str(folder))
    return folder


@pytest.mark.parametrize("verb", ["start", "status", "scale", "stop"])
def test_help_has_an_example_and_json(bioner: Command, verb: str) -> None:
    """Catches a verb without help, without an example, or without --json."""
    done = bioner("pool", verb, "--help")
    assert done.code == 0
    assert f"bioner pool {verb}" in done.out.split("Example", 1)[1]
    assert "--json" in done.out


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("start", "--name", "../etc"), 2, "name of the pool"),
        (("start", "--actors", "0", "--annotator", "null"), 2, "actors"),
        (("start", "--ray", "ray://head:1", "--annotator", "null"), 2, "ray_address"),
        (("start", "--threads-per-actor", "0", "--annotator", "null"), 2, "threads_per_actor"),
        (("start", "--drain-seconds", "-1"), 2, "--drain-seconds"),
        (("status", "--name", "none"), 1, "bioner pool start --name none"),
        (("scale", "--name", "none", "--actors", "2"), 1, "there is no pool 'none'"),
        (("scale", "--name", "none"), 2, "--actors"),
        (("stop", "--name", "none"), 1, "--ray HOST:PORT"),
        (("stop", "--name", "A B"), 2, "name of the pool"),
    ],
)
def test_what_cannot_be_done_is_named(bioner: Command, words: tuple[str, ...], code: int, named: str) -> None:
    """Catches an error that names neither the option nor what to do, or that comes only when Ray runs."""
    done = bioner("pool", *words)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert named in done.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--actors", "2"), "--actors"),
        (("--gpus-per-actor", "1"), "--gpus-per-actor"),
        (("--memory-cap", "1"), "--memory-cap"),
        (("--ray", "ray://head:1"), "ray_address"),
    ],
)
def test_options_of_actors_do_not_fit_a_running_pool(
    bioner: Command, samples: list[Path], tmp_path: Path, words: tuple[str, str], named: str
) -> None:
    """Catches options that are taken and do nothing, since the actors run already."""
    done = bioner("annotate", samples[0], "--store", tmp_path / "s", "--annotator", "null", "--pool", "x", *words)
    assert done.code == 2
    assert named in done.err


def test_a_pool_that_is_not_there_is_named(bioner: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches a mistyped name that starts actors of its own, or ends in a stack trace."""
    done = bioner("annotate", samples[0], "--store", tmp_path / "s", "--annotator", "null", "--pool", "none")
    assert done.code == 1
    assert "there is no pool 'none'" in done.err


def test_help_imports_neither_ray_nor_torch() -> None:
    """Catches an import at the top of the verb that makes every `bioner --help` take seconds."""
    code = "import sys, jobs.main; print({'ray', 'torch', 'apache_beam'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == "set()\n"


@contextmanager
def running_pool(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A pool of the null annotator, up for the block, in a process of its own."""
    command = [sys.executable, "-m", "jobs.main", "pool", "start", "--annotator", "null", "--json", *words]
    said = folder / "said"
    with said.open("w") as err:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=err, text=True, start_new_session=True
        )
    try:
        await_true(lambda: process.poll() is not None or "is ready" in said.read_text(), seconds=300.0)
        assert process.poll() is None, said.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
def test_a_pool_serves_several_commands_and_is_looked_after(
    bioner_process: Command, samples: list[Path], tmp_path: Path, state: Path
) -> None:
    """Catches a pool that serves one command only, orders that are not obeyed, and what is left when it is stopped."""
    with running_pool(tmp_path, "--name", "shared", "--drain-seconds", "5") as owner:
        file = state / "pools" / "shared.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        family = psutil.Process(owner.pid).children(recursive=True)

        stores = [tmp_path / "a", tmp_path / "b"]
        words = ("annotate", *samples, "--annotator", "null", "--json", "--pool", "shared", "--store")
        for store in stores:
            done = bioner_process(*words, store)
            assert done.code == 0, done.err
            assert json.loads(done.out)["annotated"] == 22
            assert "starting" not in done.err
            assert verify_store(Store(store)).sound

        refused = bioner_process("annotate", samples[0], "--pool", "shared", "--store", tmp_path / "c")
        assert refused.code == 1
        assert "holds another model" in refused.err or "bioner models pull" in refused.err

        taken = bioner_process("pool", "start", "--name", "shared", "--annotator", "null")
        assert taken.code == 1
        assert "a pool 'shared' is there already" in taken.err

        scaled = bioner_process("pool", "scale", "--name", "shared", "--actors", "2", "--wait", "120", "--json")
        assert scaled.code == 0, scaled.err
        found = json.loads(bioner_process("pool", "status", "--name", "shared", "--json").out)
        assert (found["wanted"], found["ready"]) == (2, 2)
        assert [actor["state"] for actor in found["actors"]] == ["idle", "idle"]
        assert len({actor["pid"] for actor in found["actors"]}) == 2
        shown = bioner_process("pool", "status", "--name", "shared").out
        assert "2 of 2 actors ready" in shown
        assert all(f"pid {actor['pid']} on {actor['node']}" in shown for actor in found["actors"])

        stopped = bioner_process("pool", "stop", "--name", "shared", "--json")
        assert stopped.code == 0, stopped.err
        assert json.loads(stopped.out)["name"] == "shared"
        out, _ = owner.communicate(timeout=60)
        assert owner.returncode == 0
        assert json.loads(out)["cut_short"] == 0
        assert not file.exists()
    _, alive = psutil.wait_procs(family, timeout=90)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_owner_that_is_interrupted_drains_its_pool(tmp_path: Path, state: Path, number: signal.Signals) -> None:
    """Catches a stack trace, Ray's native ones too, a state file that stays, and processes that outlive the owner."""
    with running_pool(tmp_path, "--name", "x") as owner:
        family = psutil.Process(owner.pid).children(recursive=True)
        if number == signal.SIGINT:
            os.killpg(owner.pid, number)  # as a terminal does it: Ray's processes get it too
        else:
            owner.send_signal(number)
        out, _ = owner.communicate(timeout=120)
        assert owner.returncode == 128 + number
        assert json.loads(out)["name"] == "x"
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    assert "SIGTERM received" not in said
    assert not (state / "pools" / "x.json").exists()
    _, alive = psutil.wait_procs(family, timeout=90)
    assert not alive


@pytest.mark.slow
def test_an_owner_that_is_killed_leaves_a_name_that_can_be_used_again(
    bioner_process: Command, tmp_path: Path, state: Path
) -> None:
    """Catches a dead owner's state file that sends commands to a Ray that is gone, or blocks the name for ever."""
    with running_pool(tmp_path, "--name", "x") as owner:
        owner.kill()
        owner.wait()
        done = bioner_process("pool", "status", "--name", "x")
        assert done.code == 1
        assert "has died" in done.err
        assert not (state / "pools" / "x.json").exists()
    with running_pool(tmp_path, "--name", "x"):
        assert bioner_process("pool", "status", "--name", "x").code == 0


@pytest.mark.slow
def test_a_job_whose_pool_is_killed_ends(samples: list[Path], tmp_path: Path) -> None:
    """Catches a job that waits for a quarter of an hour, or for ever, for a Ray that died with the pool's owner."""
    dump, store = tmp_path / "many.jsonl", tmp_path / "s"
    dump.write_text("".join(f'{{"id": "{n}", "text": "CD28 and IL-2 in case {n}."}}\n' for n in range(50_000)))
    words = [sys.executable, "-m", "jobs.main", "annotate", str(dump), "--store", str(store)]
    with running_pool(tmp_path, "--name", "x") as owner, (tmp_path / "err").open("w") as err:
        job = subprocess.Popen(
            [*words, "--annotator", "null", "--pool", "x"], cwd=REPOSITORY, stdout=err, stderr=err, env=os.environ
        )
        try:
            await_true(lambda: job.poll() is not None or any(store.glob("manifests/*.json")), seconds=300.0)
            assert job.poll() is None
            owner.kill()
            assert job.wait(timeout=180) == 1
        finally:
            job.kill()
            job.wait()
    assert verify_store(Store(store)).sound
