"""The measured rates of this processor: measured once, kept whole, never in the way."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bioner_core.models import precision_rates as module
from bioner_core.models.precision import PRECISIONS
from bioner_core.models.precision_rates import precision_rates, rates_path
from bioner_core.models.precision_trial import product_rates

_SHAPES = ((8, 8), (8, 4), (8, 4), (8, 8), (8, 16), (8, 16), (16, 8))
_RATES = {name: 1e9 * place for place, name in enumerate(PRECISIONS, start=1)}


class Runs:
    """Stands in for the measuring process, and counts how often it was asked."""

    def __init__(self, answer: str, code: int = 0) -> None:
        self.answer = answer
        self.code = code
        self.count = 0

    def __call__(self, command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        """Answer."""
        self.count += 1
        if self.code:
            raise subprocess.CalledProcessError(self.code, list(command))
        return subprocess.CompletedProcess(list(command), 0, self.answer, "")


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base with a small configuration, and an empty cache."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))
    module._measured.cache_clear()
    config = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def with_process(monkeypatch: pytest.MonkeyPatch, answer: str, code: int = 0) -> Runs:
    """Let the measuring process answer so."""
    runs = Runs(answer, code)
    monkeypatch.setattr(module.subprocess, "run", runs)
    return runs


def test_a_measurement_is_made_once_and_kept(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch two seconds more at each start, and a second process that finds another answer."""
    runs = with_process(monkeypatch, json.dumps(_RATES))
    assert precision_rates(base) == _RATES
    module._measured.cache_clear()  # as a later process would begin
    assert precision_rates(base) == _RATES
    assert runs.count == 1
    assert [one.name for one in rates_path(_SHAPES).parent.iterdir()] == [rates_path(_SHAPES).name]


def test_another_processor_torch_or_shape_is_measured_anew(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a cache on a shared home folder whose figures are another machine's."""
    here = rates_path(_SHAPES)
    assert here == rates_path(list(_SHAPES))
    monkeypatch.setattr(module, "processor_name", lambda: "another")
    other = rates_path(_SHAPES)
    monkeypatch.setattr(module, "version", lambda _: "9.9")
    assert len({here, other, rates_path(_SHAPES), rates_path(_SHAPES[1:])}) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rates": {"float32": 1e9}}', '{"rates": {"float32": "x"}}'])
def test_a_damaged_record_is_measured_anew(base: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """Would catch a half-written or older file that stops every command, or decides by what it lacks."""
    runs = with_process(monkeypatch, json.dumps(_RATES))
    rates_path(_SHAPES).parent.mkdir(parents=True)
    rates_path(_SHAPES).write_text(content, encoding="utf-8")
    assert (precision_rates(base), runs.count) == (_RATES, 1)


@pytest.mark.parametrize(
    ("answer", "code"), [("", 0), ("no json", 0), ('{"float32": 1e9}', 0), (json.dumps(_RATES), 3)]
)
def test_what_cannot_be_measured_is_left_to_the_instructions(
    base: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    """Would catch a command that fails since a measurement did, and a failure that is kept as an answer."""
    with_process(monkeypatch, answer, code)
    assert precision_rates(base) == {}
    assert not rates_path(_SHAPES).exists()


def test_a_base_without_a_configuration_has_no_rates(tmp_path: Path) -> None:
    """Would catch a base that is not pulled yet and an error that is not the loader's own words."""
    assert precision_rates(tmp_path) == {}


def test_a_cache_that_cannot_be_written_is_no_error(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a read-only home folder that stops every command."""
    with_process(monkeypatch, json.dumps(_RATES))
    (base / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("BIONER_CACHE", str(base / "file"))
    assert precision_rates(base) == _RATES


def test_the_trial_times_every_precision_and_says_so_as_json() -> None:
    """Would catch a trial that leaves a precision out, or prints beside its answer."""
    assert set(product_rates(_SHAPES)) == set(PRECISIONS)
    command = [sys.executable, "-m", "bioner_core.models.precision_trial"]
    answer = subprocess.run(command, input=json.dumps(_SHAPES), capture_output=True, text=True, check=True)
    assert all(rate > 0 for rate in json.loads(answer.stdout).values())
