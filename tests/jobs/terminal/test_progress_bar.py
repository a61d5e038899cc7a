"""Progress in a log, where standard error is no terminal."""

import pytest

from jobs.terminal import progress as progress_module
from jobs.terminal.progress import ProgressBar


def test_a_log_gets_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches control sequences of a bar in a log file, progress on standard output, and a last state told twice."""
    monkeypatch.setattr(progress_module, "LINE_SECONDS", 0.0)
    with ProgressBar("records") as progress:
        progress.planned(10)
        progress.done(4, skipped=False)
        progress.done(6, skipped=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split("  ")[0] for line in err.splitlines()] == ["4/10 records", "10/10 records"]
    assert "left" in err.splitlines()[0]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a line that --quiet lets through."""
    with ProgressBar("records", quiet=True) as progress:
        progress.planned(1)
        progress.done(1)
    assert capsys.readouterr() == ("", "")


def test_skipped_work_does_not_count_as_speed() -> None:
    """Catches a time left that is far too short after a rerun skipped most of the work."""
    with ProgressBar("records", quiet=True) as progress:
        progress.planned(1000)
        progress.done(1000, skipped=True)
        assert progress.rate == 0.0
