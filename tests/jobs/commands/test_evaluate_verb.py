"""`bioner evaluate`: what is checked before a model is loaded, and the form of the result."""

import hashlib
import json
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.errors import ModelError
from bioner_core.inference import annotator
from bioner_core.inference.annotation import NullAnnotator
from bioner_core.models.base_model import is_pulled
from bioner_core.models.bases import SMOLLM2
from bioner_core.models.directory import model_folder

GOLD = {"id": "1", "lang": "en", "text": "CD28 binds IL-2.", "entities": [{"start": 0, "end": 4, "type": "protein"}]}


class SelectingNothing(NullAnnotator):
    """Finds nothing, and has a selector."""

    has_selector = True
    number_format = "float32"


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """A corpus of one record."""
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps(GOLD) + "\n")
    return path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--label-set", "nil"), 2),
        (("--label-set", "cmeee"), 2),
        (("--label-set", "genia", "--types", "protein,nil"), 2),
        (("--label-set", "genia", "--precision", "int4"), 2),
        (("--label-set", "genia", "--limit", "0"), 2),
        (("--label-set", "genia", "--model", "nope"), 2),
    ],
)
def test_mistakes_are_found_before_the_model_is_loaded(
    bioner: Command, gold: Path, words: tuple[str, ...], code: int
) -> None:
    """Catches a minute of loading that ends with a usage error, or labels that never match and score 0 silently."""
    done = bioner("evaluate", "--data", gold, *words)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert done.err.startswith("error: ")


def test_a_corpus_that_is_not_there_is_a_usage_error(bioner: Command, tmp_path: Path) -> None:
    """Catches a mistyped path that counts as a failure of the model, or whose message says the path twice."""
    path = tmp_path / "nope.jsonl"
    done = bioner("evaluate", "--data", path, "--label-set", "genia")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {path}: there is no such file or folder\n"


def test_a_broken_corpus_is_named_with_its_line(bioner: Command, gold: Path) -> None:
    """Catches bad gold that is skipped, or a stack trace for it."""
    with gold.open("a") as file:
        file.write('{"id": "2"}\n')
    done = bioner("evaluate", "--data", gold, "--label-set", "genia")
    assert done.code == 1
    assert f"{gold}, line 2" in done.err


@pytest.mark.usefixtures("pulled_base")
def test_json_has_the_promised_fields(
    bioner: Command, gold: Path, model_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches fields that overwrite each other (the number format and the ratio are both called precision)."""
    monkeypatch.setattr(annotator, "load_annotator", lambda *_, **__: SelectingNothing())
    words = ("evaluate", "--data", gold, "--label-set", "genia", "--model", model_card)
    done = bioner(*words, "--json")
    found = json.loads(done.out)
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert (found["precision"], found["recall"], found["f1"], found["ci95"]) == (0.0, 0.0, 0.0, [0.0, 0.0])
    assert (found["support"], found["by_type"]["protein"]["support"], found["sentences"]) == (1, 1, 1)
    assert found["without_selector"]["support"] == 1
    assert found["number_format"] == "float32"
    assert "nested only" in bioner(*words).out


@pytest.mark.usefixtures("pulled_base")
def test_reports_are_written_beside_the_result(
    bioner: Command, gold: Path, model_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches reports that land on standard output, lack where they come from, or say other scores than --json."""
    monkeypatch.setattr(annotator, "load_annotator", lambda *_, **__: SelectingNothing())
    report, page = tmp_path / "a report.json", tmp_path / "report.html"
    words = ("evaluate", "--data", gold, "--label-set", "genia", "--model", model_card, "--limit", 1, "--no-selector")
    done = bioner(*words, "--output", report, "--html", page, "--json")
    printed, written = json.loads(done.out), json.loads(report.read_text())
    assert done.code == 0
    assert printed == {name: written[name] for name in printed}
    assert written["command"].startswith("bioner evaluate --data ")
    assert "--limit 1 --no-selector --precision float32" in written["command"]
    assert written["data_sha256"] == hashlib.sha256(gold.read_bytes()).hexdigest()
    assert written["fingerprint"] == "null"
    assert written["examples"]["missed"][0]["text"] == GOLD["text"]
    assert GOLD["text"] not in done.out, "the corpus's text belongs into the reports that were asked for"
    assert page.read_text().startswith("<!doctype html>")
    assert bioner(*words, "--output", report, "--examples", 0).code == 0
    assert not any(json.loads(report.read_text())["examples"].values())


def test_a_report_that_cannot_be_written_is_found_before_the_model_is_loaded(
    bioner: Command, gold: Path, tmp_path: Path
) -> None:
    """Catches an hour of decoding whose result has nowhere to go."""
    for option in ("--output", "--html"):
        done = bioner("evaluate", "--data", gold, "--label-set", "genia", option, tmp_path / "nil" / "report")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "nil" in done.err


@pytest.mark.slow
@pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`")
def test_both_decoders_score_alike_with_the_real_model(bioner_process: Command, gold: Path) -> None:
    """Catches a command line that cannot load the model that ships, or decoders that give different answers."""
    try:
        model_folder()
    except ModelError as error:
        pytest.skip(str(error))
    words = ("evaluate", "--data", gold, "--label-set", "genia", "--precision", "float32", "--json")
    drafted, reference = (json.loads(bioner_process(*words, "--decoder", one).out) for one in ("drafted", "reference"))
    errors = [one["reliability"]["calibration_error"] for one in (drafted, reference)]
    assert errors[0] == pytest.approx(errors[1], abs=1e-4)
    for changing in ("decoder", "seconds", "sentences_per_second", "reliability"):
        del drafted[changing], reference[changing]
    assert drafted == reference


@pytest.mark.usefixtures("pulled_base")
def test_a_model_is_set_beside_an_earlier_one(
    bioner: Command, gold: Path, model_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a report that is found unfit after an hour of scoring, and a comparison that one of the outputs lacks."""
    loads: list[object] = []
    monkeypatch.setattr(annotator, "load_annotator", lambda *_, **__: loads.append(1) or SelectingNothing())
    words = ("evaluate", "--data", gold, "--label-set", "genia", "--model", model_card)
    before, page = gold.with_name("before.json"), gold.with_name("change.html")
    assert bioner(*words, "--output", before).code == 0
    done = bioner(*words, "--before", before, "--html", page, "--json")
    found = json.loads(done.out)["before"]
    assert (found["before_model"], found["scores"][0]["name"], found["scores"][0]["f1"]) == (str(model_card), "all", 0)
    assert "Before and after" in page.read_text(encoding="utf-8")
    assert f"before ({model_card}) and after, F1:" in bioner(*words, "--before", before).out
    loaded = len(loads)
    wrong = bioner(*words, "--before", gold)
    assert (wrong.code, len(loads)) == (2, loaded)
    assert "no report" in wrong.err
