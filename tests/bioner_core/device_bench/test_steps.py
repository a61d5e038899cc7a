"""Steps of a bench: no error of one reaches the next, and none is begun that does not fit."""

import json
import time
from pathlib import Path

from bioner_core.device_bench.steps import Clock, Findings, Journal, Step, StepSkippedError, run_steps


def ended(path: Path) -> dict[str, dict[str, object]]:
    """The steps of a journal that have ended, by name."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return {one["name"]: one for one in entries if "outcome" in one}


def fail(clock: Clock, found: Findings) -> None:
    """Fail on the way."""
    found.note("as far as this", rows=3)
    raise ValueError("no such thing")


def skip(clock: Clock, found: Findings) -> None:
    """Say that it cannot be done here."""
    raise StepSkippedError("not here")


def test_every_step_is_written_down_whatever_becomes_of_it(tmp_path: Path) -> None:
    """Would catch an error that stops the run, or a step whose findings are lost with it."""
    steps = [
        Step("fails", 0, fail),
        Step("skips", 0, skip),
        Step("too long", 99, fail),
        Step("works", 0, lambda _, found: found.note("well", rows=4)),
    ]
    run_steps("right", steps, clock=Clock(time.time() + 9), journal=Journal(tmp_path / "steps"))
    found = ended(tmp_path / "steps")
    assert {name: one["outcome"] for name, one in found.items()} == {
        "fails": "failed",
        "skips": "skipped",
        "too long": "skipped",
        "works": "done",
    }
    assert found["fails"]["figures"] == {"rows": 3}
    assert "ValueError: no such thing" in str(found["fails"]["error"])
    assert found["works"]["figures"] == {"rows": 4}


def test_known_steps_are_not_done_again(tmp_path: Path) -> None:
    """Would catch a bench that begins anew after a process died."""
    run_steps("right", [Step("fails", 0, fail)], clock=Clock(0), journal=Journal(tmp_path / "s"), known={"fails"})
    assert not (tmp_path / "s").exists()


def test_a_lost_device_is_told_apart(tmp_path: Path) -> None:
    """Would catch a process that goes on after its GPU context is lost: every step behind would fail."""
    from bioner_core.device_bench.steps import run_step

    def lose(clock: Clock, found: Findings) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    assert run_step("right", Step("loses", 0, lose), clock=Clock(0)).lost_device
    assert not run_step("right", Step("fails", 0, fail), clock=Clock(0)).lost_device
