"""Where named pools are found, without Ray."""

import json
import os
import stat
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.process_identity import ProcessIdentity, this_process
from pipelines.pool.pool_registry import PoolAddress, claimed_address, find_address, state_folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own for each test."""
    monkeypatch.setenv("BIONER_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "pools"


def address_file(owner: ProcessIdentity, folder: Path, address: str = "127.0.0.1:6379") -> Path:
    """A file that this owner left."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "x.json"
    file.write_text(json.dumps(asdict(PoolAddress("x", address, owner, True))))
    return file


def dead_process() -> ProcessIdentity:
    """A process of this machine that has ended."""
    done = subprocess.Popen(["true"])
    done.wait()
    boot = this_process().birth.partition(":")[0]
    return replace(this_process(), pid=done.pid, birth=f"{boot}:1")


def test_a_pool_is_found_while_its_owner_holds_the_name(folder: Path) -> None:
    """A name that nobody finds, a file that others can read, or one that stays."""
    with claimed_address("x") as announce:
        with pytest.raises(PoolError, match="still starting"):
            find_address("x")
        announce("127.0.0.1:6379", True)
        assert find_address("x") == PoolAddress("x", "127.0.0.1:6379", this_process(), True)
        assert find_address("x").namespace == "bioner-pool-x"
        assert stat.S_IMODE((folder / "x.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == [".lock"]
    with pytest.raises(PoolError, match="there is no pool 'x'"):
        find_address("x")


def test_a_name_is_held_by_one_owner() -> None:
    """A second owner that takes the clients of the first, and whose end removes the first one's file."""
    with claimed_address("x") as announce:
        announce("127.0.0.1:1", False)
        with pytest.raises(PoolError, match="is there already"), claimed_address("x"):
            pytest.fail("two owners")
        assert find_address("x").address == "127.0.0.1:1"


def test_an_error_gives_the_name_back() -> None:
    """A pool that could not start, and whose name is taken from then on."""
    with pytest.raises(ValueError, match="no"), claimed_address("x"):
        raise ValueError("no")
    with claimed_address("x"):
        pass


def test_the_file_of_a_dead_owner_is_noticed_and_taken_over(folder: Path) -> None:
    """Clients sent to a Ray that is gone; a name that a crash blocks for ever."""
    file = address_file(dead_process(), folder)
    with pytest.raises(PoolError, match=r"is gone: its owner, process \d+ on .*, has died"):
        find_address("x")
    assert not file.exists()
    address_file(dead_process(), folder)
    with claimed_address("x"):
        pass


def test_a_pool_of_another_machine_is_used_only_where_that_can_be(folder: Path) -> None:
    """A home shared by machines: an address on loopback means another Ray there, or none."""
    elsewhere = ProcessIdentity("some-other-host", os.getpid(), "boot:1")
    address_file(elsewhere, folder)
    with pytest.raises(PoolError, match="on some-other-host only"):
        find_address("x")
    address_file(elsewhere, folder, address="10.0.0.1:6379")
    assert find_address("x").address == "10.0.0.1:6379"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', '{"name": "x", "address": "a:1", "owner": {}}'])
def test_a_damaged_file_is_named(folder: Path, text: str) -> None:
    """A stack trace that names no file."""
    address_file(this_process(), folder).write_text(text)
    with pytest.raises(PoolError, match=r"x\.json: cannot be read"):
        find_address("x")


@pytest.mark.parametrize("name", ["", "-x", "../x", "X", "a b", "a" * 41, "x\n"])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    """A name that leaves the state folder."""
    with pytest.raises(ConfigurationError, match="name of the pool"):
        find_address(name)
    with pytest.raises(ConfigurationError, match="name of the pool"), claimed_address(name):
        pytest.fail("no name")


def test_the_state_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """State in a place that other users share, or that the desktop's convention does not name."""
    monkeypatch.delenv("BIONER_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere/state")
    assert state_folder() == Path("/somewhere/state/bioner")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path.home() / ".local" / "state" / "bioner"
