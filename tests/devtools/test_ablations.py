"""`python -m devtools.ablations`: recipes one after another, a table, and nothing done twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import EXIT_USAGE, ConfigurationError
from bioner_core.training import ablations as core
from bioner_core.training.ablations import finished_results, read_ablations, results_table
from devtools import ablations
from jobs.terminal.process import run_app
from tests.bioner_core.training.training_samples import tiny_settings, with_held_out_end, write_corpus, write_settings

pytestmark = pytest.mark.slow


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two recipes of a few steps each."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    for name, changes in (("alone", {"seed": 2}), ("joint", {})):
        settings = with_held_out_end(tiny_settings(tmp_path, monkeypatch, max_tokens=800, **changes))
        settings = replace(settings, corpora=tuple(replace(one, weight=None) for one in settings.corpora))
        path = write_settings(folder / f"{name}.toml", settings)
        path.write_text(f"# What {name} is.\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def run(*words: object) -> int:
    """Run the command in this process; its exit code."""
    return run_app(ablations.app, [str(word) for word in words], name="ablations")


def test_all_are_trained_scored_and_told_in_a_table(
    recipes: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Would catch a run whose scores are of another model, or a table that leaves one out."""
    words = ("--output", tmp_path / "out", "--recipes", recipes, "--sentences", 5)
    assert run(*words, "--json") == 0
    captured = capfd.readouterr()
    told = json.loads(captured.out)["ablations"]
    assert [one["name"] for one in told] == ["joint", "alone"]
    assert told == json.loads((tmp_path / "out" / "ablations.json").read_text(encoding="utf-8"))
    assert [(one["scores"]["tiny"]["sentences"], one["about"]) for one in told] == [
        (5, "What joint is."),
        (5, "What alone is."),
    ]
    table = (tmp_path / "out" / "ablations.md").read_text(encoding="utf-8").splitlines()
    assert table[0] == "| run | what it is | tokens | minutes | tiny |"
    assert [line.split(" | ")[0] for line in table[2:]] == ["| joint", "| alone"]
    assert "joint: step" not in captured.out


def test_finished_ones_are_skipped_and_one_can_be_named(
    recipes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Would catch an hour of training that is done again, or a table that forgets what it had."""
    words = ("--output", tmp_path / "out", "--recipes", recipes, "--sentences", 5)
    assert run(*words, "--only", "alone") == 0
    assert run(*words, "--only", "joint") == 0
    assert (tmp_path / "out" / "ablations.md").read_text(encoding="utf-8").count("\n") == 4

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(core, "SftRun", never)
    capfd.readouterr()
    assert run(*words) == 0
    assert capfd.readouterr().err.count("finished already") == 2


def test_another_bound_scores_again_without_training_on(recipes: Path, tmp_path: Path) -> None:
    """Would catch figures of different bounds side by side in one table."""
    words = ("--output", tmp_path / "out", "--recipes", recipes, "--only", "joint")
    assert run(*words, "--sentences", 5) == 0
    (before,) = finished_results(tmp_path / "out", ["joint"])
    assert run(*words, "--sentences", 2) == 0
    (after,) = finished_results(tmp_path / "out", ["joint"])
    assert (before["scores"]["tiny"]["sentences"], after["scores"]["tiny"]["sentences"]) == (5, 2)
    assert before["steps"] == after["steps"]


def test_a_folder_of_other_settings_is_refused(
    recipes: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Would catch a table row of one recipe that is filled from a run of another, or of corpora that have changed."""
    words = ("--output", tmp_path / "out", "--recipes", recipes, "--only", "joint")
    assert run(*words) == 0
    assert run(*words, "--max-tokens", 900) == EXIT_USAGE
    assert "other settings" in capfd.readouterr().err
    assert run(*words) == 0
    write_corpus(tmp_path / "corpus.jsonl")
    assert run(*words) == EXIT_USAGE
    assert "from other corpora" in capfd.readouterr().err


def test_unknown_names_and_empty_folders_are_refused(recipes: Path, tmp_path: Path) -> None:
    """Would catch a misspelt name that runs nothing and ends well."""
    with pytest.raises(ConfigurationError, match=r"\['jiont'\] not in .*there are \['alone', 'joint'\]"):
        read_ablations(recipes, only=["jiont"])
    with pytest.raises(ConfigurationError, match=r"no \*\.toml"):
        read_ablations(tmp_path / "nowhere")


def test_a_corpus_that_a_run_does_not_cover_is_a_dash() -> None:
    """Would catch a zero where nothing was measured, or columns that slip."""
    score = {"f1": 0.5, "precision": 0.25, "recall": 1.0, "ci95": [0.4, 0.625]}
    shared: dict[str, Any] = {"about": "x", "tokens": 120_000, "minutes": 8.4}
    rows = [
        {"name": "joint", **shared, "scores": {"genia": score, "cmeee": score}},
        {"name": "cmeee_only", **shared, "scores": {"cmeee": score}},
    ]
    lines = results_table(rows).splitlines()
    cell = "50.0 [40.0, 62.5] (P 25.0, R 100.0)"
    assert lines[2] == f"| joint | x | 120,000 | 8 | {cell} | {cell} |"
    assert lines[3] == f"| cmeee_only | x | 120,000 | 8 | – | {cell} |"
