"""What a command does when it is told to end: tidy up once, however often it is told so at first."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

_COMMAND = """
import sys, time
from jobs.terminal.process import interrupted_exit_code, take_signals

take_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("tidying up", flush=True)
    time.sleep(float(sys.argv[1]))
    print("tidy", flush=True)
sys.exit(interrupted_exit_code())
"""


@pytest.fixture
def tidy_seconds() -> float:
    """How long the command takes to tidy up."""
    return 1.0


@pytest.fixture
def command(tidy_seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A command that waits to be told."""
    words = [sys.executable, "-c", _COMMAND, str(tidy_seconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_twice_at_once_is_one(command: subprocess.Popen[str], number: int) -> None:
    """Catches a pool that `timeout`, which signals a process and its group, ends while it tidies up."""
    command.send_signal(number)
    command.send_signal(number)
    said, _ = command.communicate(timeout=60)
    assert said.splitlines() == ["tidying up", "tidy"]
    assert command.returncode == 128 + number


@pytest.mark.parametrize("tidy_seconds", [60.0])
def test_a_later_signal_ends_the_command_on_the_spot(command: subprocess.Popen[str]) -> None:
    """Catches a command that hangs while it tidies up, and that nothing but SIGKILL ends."""
    assert command.stdout is not None
    command.send_signal(signal.SIGINT)
    assert command.stdout.readline() == "tidying up\n"
    time.sleep(0.6)
    command.send_signal(signal.SIGINT)
    assert command.communicate(timeout=30)[0] == ""
    assert command.returncode == 128 + signal.SIGINT
