"""`bioner train sft`: settings and their origins; the training itself has its own tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.training import sft
from bioner_core.training.settings import SftSettings

SETTINGS = 'seed = 7\nlora_rank = 8\n[[corpora]]\nfile = "gold.jsonl"\nlabel_set = "genia"\nweight = 1.0\n'


@dataclass
class RecordedRun:
    """Takes the place of a training run and keeps what it was given."""

    settings: SftSettings
    output: Path
    log: Callable[[str], None]

    @dataclass
    class Progress:
        """What a run has done."""

        steps: int = 3
        tokens: int = 99

    progress = Progress()

    def train(self) -> None:
        """Say one line."""
        self.log("step 3")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of settings, with the training itself out of the way."""
    monkeypatch.setattr(sft, "SftRun", RecordedRun)
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


def test_each_setting_is_printed_with_its_origin(bioner: Command, settings: Path, tmp_path: Path) -> None:
    """Catches an override that does not win, or a hyper-parameter that nobody sees."""
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m", "--seed", 5, "--json")
    lines = {line.split()[0]: line for line in done.err.splitlines()}
    assert lines["seed"].split()[1:] == ["5", "(command", "line)"]
    assert lines["lora_rank"].split()[1:] == ["8", "(file)"]
    assert lines["max_minutes"].split()[1:] == ["90.0", "(default)"]
    assert "gold.jsonl" in lines["corpus"]
    assert lines["step"] == "step 3"
    found = json.loads(done.out)
    assert (found["steps"], found["tokens"], found["output"]) == (3, 99, str(tmp_path / "m"))


def test_what_the_start_model_fixes_is_printed_as_it_is_used(bioner: Command, settings: Path, tmp_path: Path) -> None:
    """Catches settings on the screen that are not those of the run."""
    settings.write_text('start_model = "smollm2"\nvaried_prompts = 0.25\n' + SETTINGS)
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m")
    lines = {line.split()[0]: line for line in done.err.splitlines()}
    assert lines["definition_rank"].split()[1:] == ["0", "(start_model)"]
    assert lines["varied_prompts"].split()[1:] == ["0.0", "(start_model)"]
    assert lines["start_model"].split()[1:] == ["smollm2", "(file)"]
    settings.write_text('start_model = "pubtator"\nvaried_prompts = 0.25\n' + SETTINGS)
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m")
    lines = {line.split()[0]: line for line in done.err.splitlines()}
    assert lines["definition_rank"].endswith("(start_model)")
    assert lines["varied_prompts"].split()[1:] == ["0.25", "(file)"]


@pytest.mark.parametrize("text", ["seed = ", "sed = 1\n", SETTINGS.replace("1.0", "-1.0"), "seed = 1\n"])
def test_bad_settings_end_with_2(bioner: Command, settings: Path, tmp_path: Path, text: str) -> None:
    """Catches a stack trace for a typing error in the file."""
    settings.write_text(text)
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_only_the_main_of_several_processes_speaks(
    bioner: Command, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches two JSON objects on one standard output, or every setting printed once per GPU."""
    monkeypatch.setenv("RANK", "1")
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m", "--json")
    assert (done.code, done.out) == (0, "")
    assert "lora_rank" not in done.err


def test_new_settings_are_printed_too(bioner: Command, settings: Path, tmp_path: Path) -> None:
    """Catches a hyper-parameter that decides a run and that nobody sees."""
    settings.write_text('tuning = "full"\n' + SETTINGS.replace("weight = 1.0\n", ""))
    done = bioner("train", "sft", "--settings", settings, "--output", tmp_path / "m")
    lines = {line.split()[0]: line for line in done.err.splitlines()}
    assert lines["tuning"].split()[1:] == ["full", "(file)"]
    for name in ("loss", "precision", "gradient_accumulation", "mix_temperature", "average_checkpoints", "start_model"):
        assert lines[name].endswith("(default)"), name
    assert lines["corpus"].endswith("weight by temperature")


def test_the_help_tells_what_is_taken_where_neither_line_nor_file_says_it(bioner: Command) -> None:
    """Catches an option without its default, or a default of the settings that was changed in one place alone."""
    usual = {one.name: one.default for one in fields(SftSettings)}
    assert usual["learning_rate"] == 1e-3
    said = [f"{usual['max_tokens']:,}", f"{usual['max_minutes']:g}", "1e-3", str(usual["seed"]), str(usual["threads"])]
    told = " ".join(bioner("train", "sft", "--help").out.split())
    for value in said:
        assert f"Default: the settings file's, else {value}." in told
