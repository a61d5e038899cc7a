"""The bench as a whole: a process that dies costs one step, and the report is there all the same."""

import json
from pathlib import Path

import pytest

from bioner_core.device_bench import supervisor
from bioner_core.device_bench.report import CHART_FILE, JSON_FILE, TABLE_FILE
from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.supervisor import bench_device
from bioner_core.errors import ConfigurationError
from tests.bioner_core.device_bench.bench_steps import endless_steps, fragile_steps, no_steps


def test_a_step_that_ends_its_process_ends_no_other(tmp_path: Path) -> None:
    """Would catch a crash that takes the rest of a paid hour with it, or what was found before it."""
    settings = DeviceBenchSettings(minutes=1, output=tmp_path, parts=("right", "fast"))
    heard: list[str] = []
    bench = bench_device(settings, steps_of=fragile_steps, on_step=lambda step: heard.append(step.name))
    outcomes = [(one.part, one.name, one.outcome) for one in bench.steps]
    assert outcomes == [
        (part, name, "failed" if name == "deadly" else "done")
        for part in ("right", "fast")
        for name in ("before", "deadly", "after")
    ]
    deadly = bench.steps[1]
    assert deadly.figures == {"half": 1}
    assert "9" in deadly.says
    assert not bench.is_sound
    assert heard == [name for _, name, _ in outcomes]
    written = json.loads((tmp_path / JSON_FILE).read_text())
    assert [one["name"] for one in written["steps"]] == heard
    assert len((tmp_path / TABLE_FILE).read_text().splitlines()) == len(heard)
    assert "<svg" in (tmp_path / CHART_FILE).read_text()


def test_a_part_that_cannot_begin_is_written_down(tmp_path: Path) -> None:
    """Would catch a bench that never ends, or says nothing, where an import fails."""
    bench = bench_device(DeviceBenchSettings(minutes=1, output=tmp_path, parts=("fast",)), steps_of=no_steps)
    assert [(one.name, one.outcome) for one in bench.steps] == [("begin", "failed")]
    assert "nothing to begin with" in bench.steps[0].says
    assert any("in no_steps" in line for line in bench.steps[0].error), "where it happened"


@pytest.mark.slow
def test_a_step_over_its_time_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a bench that never ends, or that blames the device where only time was short."""
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 1)
    settings = DeviceBenchSettings(minutes=0.4, output=tmp_path, parts=("fast",))
    bench = bench_device(settings, steps_of=endless_steps)
    [step] = bench.steps
    assert (step.name, step.outcome, step.figures) == ("endless", "cut off", {"half": 1})
    assert bench.is_sound


def test_settings_are_checked(tmp_path: Path) -> None:
    """Would catch a mistyped part that is silently left out."""
    with pytest.raises(ConfigurationError, match="part: speed"):
        DeviceBenchSettings(minutes=1, output=tmp_path, parts=("speed",))
    with pytest.raises(ConfigurationError, match="minutes"):
        DeviceBenchSettings(minutes=0, output=tmp_path)
