"""Ablations: one recipe after another, each trained and scored alike, and a table of what came of them."""

import gc
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotator import load_annotator
from bioner_core.models.model_card import read_card
from bioner_core.training.development import development_sets, evaluate_sets
from bioner_core.training.run_inputs import run_inputs
from bioner_core.training.settings import SftSettings, read_settings
from bioner_core.training.sft import SftRun

_SETTINGS_FILE = "settings.json"
_RESULT_FILE = "result.json"


@dataclass(frozen=True, slots=True)
class Ablation:
    """One recipe: its name, what it changes (the file's first comment), and its settings."""

    name: str
    about: str
    settings: SftSettings


def read_ablations(
    folder: Path, *, only: Sequence[str] = (), overrides: Mapping[str, object] | None = None
) -> list[Ablation]:
    """The recipes of a folder, `joint` first, then by name; `only` names those that are wanted.

    Raises:
        ConfigurationError: no recipe there, none of such a name, or one that is not valid.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.toml"))}
    unknown = sorted(set(only) - set(files))
    if unknown or not files:
        raise ConfigurationError(f"ablations: {unknown or 'no *.toml'} not in {str(folder)!r}; there are {list(files)}")
    names = sorted(only or files, key=lambda name: (name != "joint", name))
    return [
        Ablation(name, _first_comment(files[name]), read_settings(files[name], dict(overrides or {}))[0])
        for name in names
    ]


def run_ablation(ablation: Ablation, folder: Path, *, log: Callable[[str], None]) -> dict[str, Any]:
    """Train and score one recipe in its folder; what is done there already is not done again.

    Scores are of the first `evaluate_sentences` of each development set that the recipe names, every candidate kept.

    Raises:
        ConfigurationError: the folder holds a run of other settings, or from other contents of what they name.
    """
    _claim(folder, ablation.settings)
    finished = _finished(folder, ablation.settings)
    if finished is not None:
        log(f"{ablation.name}: finished already")
        return finished
    SftRun(ablation.settings, folder, log=lambda line: log(f"{ablation.name}: {line}")).train()
    gc.collect()
    result = _scored(ablation, folder)
    _write_json(folder / _RESULT_FILE, result)
    return result


def finished_results(output: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The results that lie in the folders of these runs, in this order."""
    files = [output / name / _RESULT_FILE for name in names]
    return [_read_json(file) for file in files if file.is_file()]


def results_table(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as a Markdown table: strict F1 in percent with its 95 % interval, precision and recall."""
    label_sets = list(dict.fromkeys(name for one in results for name in one["scores"]))
    head = ["run", "what it is", "tokens", "minutes", *label_sets]
    lines = [head, ["---"] * len(head)]
    for one in results:
        cells = [_cell(one["scores"].get(name)) for name in label_sets]
        lines.append([one["name"], one["about"], f"{one['tokens']:,}", f"{one['minutes']:.0f}", *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _scored(ablation: Ablation, folder: Path) -> dict[str, Any]:
    sets = development_sets(ablation.settings)
    annotator = load_annotator(
        [one.label_set for one in sets],
        model=str(folder),
        precision=ablation.settings.precision,
        use_selector=False,
    )
    training = read_card(folder).training
    return {
        "name": ablation.name,
        "about": ablation.about,
        "steps": training["steps"],
        "tokens": training["tokens"],
        "minutes": training["minutes"],
        "evaluate_sentences": ablation.settings.evaluate_sentences,
        "scores": {name: run.to_json() for name, run in evaluate_sets(annotator, sets).items()},
    }


def _claim(folder: Path, settings: SftSettings) -> None:
    """Mark the folder as that of these settings; how much is evaluated may change later."""
    file = folder / _SETTINGS_FILE
    made_from = run_inputs(settings)
    content = {"sha256": _digest(settings), "made_from": made_from, **asdict(settings)}
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(file, content)
        return
    found = _read_json(file)
    # A folder from before contents were noted has none of them.
    if found.get("sha256") != content["sha256"] or found.get("made_from", made_from) != made_from:
        raise ConfigurationError(
            f"ablation {folder}: it was run with other settings, or from other corpora, label sets or another base of "
            "the same names; remove it or name another output"
        )


def _digest(settings: SftSettings) -> str:
    shared = asdict(replace(settings, evaluate_sentences=1))
    return hashlib.sha256(json.dumps(shared, sort_keys=True, default=str).encode()).hexdigest()


def _finished(folder: Path, settings: SftSettings) -> dict[str, Any] | None:
    """The result of a run that was scored on as many sentences as are asked for."""
    file = folder / _RESULT_FILE
    found = _read_json(file) if file.is_file() else {}
    return found if found.get("evaluate_sentences") == settings.evaluate_sentences else None


def _first_comment(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _cell(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return "–"
    f1, precision, recall = (100 * score[name] for name in ("f1", "precision", "recall"))
    low, high = (100 * edge for edge in score["ci95"])
    return f"{f1:.1f} [{low:.1f}, {high:.1f}] (P {precision:.1f}, R {recall:.1f})"


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is damaged ({error}): remove its folder and run it again") from error
    return content
