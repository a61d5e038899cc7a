"""What a person sees while something starts."""

import pytest

from jobs.terminal.console import told_step


def test_a_step_is_told_when_it_begins_and_when_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a minute without a word, and seconds that nobody can set against a step."""
    with told_step("starting Ray", "Ray is ready", quiet=False):
        assert capsys.readouterr().err == "starting Ray ...\n"
    assert capsys.readouterr().err.startswith("Ray is ready after 0.")


def test_a_step_that_fails_is_not_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches `ready` above the error that says it is not."""
    with pytest.raises(RuntimeError), told_step("starting Ray", "Ray is ready", quiet=False):
        raise RuntimeError
    with told_step("starting Ray", "Ray is ready", quiet=True):
        pass
    assert capsys.readouterr().err == "starting Ray ...\n"
