"""Units and timers: systemd takes them, and they say the same as the cron jobs."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest
from command_lines import INFRA, unit_commands
from manifests import all_manifests

UNITS = INFRA / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM = "/opt/bioner/bin/bioner"


def sections(path: Path) -> configparser.RawConfigParser:
    """The sections of a unit; of a key that stands there twice, the last."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Catches a misspelt key, a value that systemd does not read, and a calendar that never comes."""
    for path in UNITS.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace(PROGRAM, "/bin/true"))
    names = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip()


def test_every_service_has_a_timer_and_makes_up_for_a_night_that_was_missed() -> None:
    """Catches a service that nothing starts, and nights lost while the machine was off."""
    assert {path.stem for path in SERVICES} == {path.stem for path in UNITS.glob("*.timer")}
    for path in UNITS.glob("*.timer"):
        unit = sections(path)
        assert unit["Timer"]["OnCalendar"].endswith(" UTC")
        assert unit["Timer"]["Persistent"] == "yes"
        assert unit["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_services_run_one_command_without_rights(path: Path) -> None:
    """Catches a service as root, one that may hang for ever, and one that makes no snapshot."""
    unit = sections(path)["Service"]
    assert unit["Type"] == "oneshot"
    [line] = unit_commands(path)
    assert line.words[0] == "nightly"
    assert "--no-snapshot" not in line.words
    assert unit["User"] == "bioner"
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["ProtectSystem"] == "strict"
    assert unit["TimeoutStartSec"] == "20h"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_what_ray_logs_outlives_the_unit(path: Path) -> None:
    """Catches logs in a private /tmp, gone when somebody looks for them, and a path too long for Ray's sockets."""
    unit = sections(path)["Service"]
    variables = dict(one.split("=", 1) for one in unit["Environment"].split())
    folder = variables["TMPDIR"]
    assert folder.removeprefix("/var/cache/") in unit["CacheDirectory"].split()
    assert len(folder) <= 30
    assert variables["BIONER_CACHE"].removeprefix("/var/cache/") in unit["CacheDirectory"].split()


def test_timers_and_cron_jobs_tell_the_same_time() -> None:
    """Catches a schedule that was changed in one place of two."""
    cron = {
        one.content["metadata"]["name"]: one.content["spec"]["schedule"].split()[:2]
        for one in all_manifests()
        if one.kind == "CronJob"
    }
    timers = {path.stem: sections(path)["Timer"]["OnCalendar"].split()[1] for path in UNITS.glob("*.timer")}
    assert {name: f"{int(hour):02}:{int(minute):02}:00" for name, (minute, hour) in cron.items()} == timers
