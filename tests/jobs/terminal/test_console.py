"""What stands on standard output: results, and nothing that a library says."""

import os

import pytest

from jobs.terminal.console import only_results_on_stdout


def test_what_libraries_print_is_no_result(capfd: pytest.CaptureFixture[str]) -> None:
    """Catches a line of Ray's thread before the JSON object where Python's own stream is no writer of descriptor 1."""
    with only_results_on_stdout():
        print("from Python")
        os.write(1, b"from a child\n")
    print("result")
    told = capfd.readouterr()
    assert told.out == "result\n"
    assert {"from Python", "from a child"} <= set(told.err.splitlines())
