"""`bioner review`: out to a curator, and back as a corpus with the agreement."""

import json
from pathlib import Path
from typing import Any

import pytest
from job_commands import Command
from job_stores import word_store

from bioner_core.gold.lines import read_lines


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with accepted and turned-down words."""
    return word_store(tmp_path_factory.mktemp("review"))


def exported(bioner: Command, store: Path, output: Path, *words: object) -> dict[str, Any]:
    """Export items; returns the report."""
    done = bioner("review", "export", "--store", store, "--output", output, *words, "--json", "--quiet")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def corrected(tasks: Path, output: Path, *, skip: int = 0) -> Path:
    """What Label Studio exports when an annotator takes the predictions, drops the first span of the first task, ..."""
    content = json.loads(tasks.read_text(encoding="utf-8"))
    for number, task in enumerate(content):
        result = task["predictions"][0]["result"]
        task["annotations"] = [{"result": result[1:] if number == 0 else result}] if number >= skip else []
    output.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return output


def test_label_studio_out_and_back(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches tasks whose spans move on the way, and unreviewed tasks that become gold."""
    tasks = tmp_path / "tasks.json"
    found = exported(bioner, store, tasks, "--label-set", "genia", "--count", 3)
    assert found["items"] == 2
    configuration = (tmp_path / "tasks.json.config.xml").read_text()
    assert '<Label value="word"/>' in configuration
    assert '<Label value="protein"/>' in configuration
    for task in json.loads(tasks.read_text(encoding="utf-8")):
        for one in task["predictions"][0]["result"]:
            value = one["value"]
            assert task["data"]["text"][value["start"] : value["end"]] == value["text"]
    done = corrected(tasks, tmp_path / "done.json")
    output = tmp_path / "gold.jsonl"
    back = bioner("review", "import", done, "--exported", found["exported"], "--output", output, "--json")
    assert back.code == 0, back.err
    report = json.loads(back.out)
    assert (report["records"], report["changed"], report["missing"], report["precision"] < 1) == (2, 1, 0, True)
    assert (report["recall"], report["by_type"]["letter"]["kappa"] is not None) == (1.0, True)
    assert sum(len(one.spans) for one in read_lines(output)) == found["mentions"] - 1
    assert "kappa" in bioner("review", "import", done, "--exported", found["exported"], "--output", output).out
    half = corrected(tasks, tmp_path / "half.json", skip=1)
    report = json.loads(
        bioner("review", "import", half, "--exported", found["exported"], "--output", output, "--json").out
    )
    assert (report["records"], report["missing"]) == (1, 1)


def test_brat_out_and_back(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches a file name that no longer leads to its item."""
    folder = tmp_path / "to_review"
    found = exported(bioner, store, folder, "--format", "brat", "--by", "documents", "--label-set", "genia")
    annotations = sorted(folder.rglob("*.ann"))
    with annotations[0].open("a") as file:
        file.write("T99\tnew_one 0 1\t" + annotations[0].with_suffix(".txt").read_text()[0] + "\n")
    output = tmp_path / "gold.jsonl"
    back = bioner("review", "import", folder, "--exported", found["exported"], "--output", output, "--json")
    assert back.code == 0, back.err
    report = json.loads(back.out)
    assert (report["records"], report["changed"], report["missing"]) == (found["items"], 1, 0)
    assert report["by_type"]["new_one"]["support"] == 1


def test_mistakes_are_one_line(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches work that is overwritten, and spans of a text that was edited."""
    tasks = tmp_path / "tasks.json"
    found = exported(bioner, store, tasks, "--count", 2)
    for words in (
        ("--output", tasks),
        ("--output", tmp_path / "b", "--format", "spacy"),
        ("--output", tmp_path / "b", "--label-set", "nil"),
        ("--output", tmp_path / "b", "--count", 0),
    ):
        done = bioner("review", "export", "--store", store, *words, "--quiet")
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    content = json.loads(corrected(tasks, tmp_path / "done.json").read_text(encoding="utf-8"))
    content[1]["data"]["text"] += " and more"
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(content), encoding="utf-8")
    words = ("--exported", found["exported"], "--output", tmp_path / "gold.jsonl")
    done = bioner("review", "import", edited, *words)
    assert (done.code, "its text is not the one" in done.err) == (1, True)
    (tmp_path / "other.json").write_text(
        json.dumps([{"id": 1, "data": {"text": "x"}, "annotations": [{"result": []}]}])
    )
    assert "no annotated item" in bioner("review", "import", tmp_path / "other.json", *words).err
    assert not (tmp_path / "gold.jsonl").exists()
