"""`bioner import`: what it writes, what it reports, and that `evaluate` takes the result and the form itself."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store

from bioner_core.labels.label_set import load_label_set

LINES = [
    {"id": 1, "text": "Aspirin eased the pain.", "label": [[0, 7, "drug"], [0, 13, "event"], [8, 22, "event"]]},
    {"id": 2, "text": "肺炎患者", "label": [[0, 2, "disease"], [1, 9, "disease"]]},
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of doccano with a crossing pair and an entity outside its text."""
    path = tmp_path / "doccano.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in LINES), encoding="utf-8")
    return path


def test_import_writes_corpus_label_set_and_report(bioner: Command, corpus: Path, tmp_path: Path) -> None:
    """Catches a report that hides what was lost, and a label set that the other verbs refuse."""
    output, made = tmp_path / "gold.jsonl", tmp_path / "mine.toml"
    done = bioner("import", corpus, "--output", output, "--label-set-output", made, "--map", "drug=chemical", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["records"], found["entities"]) == (2, 4)
    assert found["types"] == {"event": 2, "chemical": 1, "disease": 1}
    assert found["misfits"] == {"crossing": 1, "offsets that do not match the text": 1}
    assert f"{corpus}, line 2" in done.err
    assert load_label_set(str(made)).type_names == ("chemical", "disease", "event")
    assert load_label_set(str(made)).languages == ("en", "zh")
    records = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [one["lang"] for one in records] == ["en", "zh"]
    again = bioner("import", output, "--output", tmp_path / "again.jsonl")
    assert "kept: 1 crossing" in again.out
    assert (tmp_path / "again.jsonl").read_bytes() == output.read_bytes(), again.err


def test_types_that_a_label_set_has_not_are_left_out(bioner: Command, corpus: Path, tmp_path: Path) -> None:
    """Catches a corpus with types that no label set knows, which training refuses an hour later."""
    known = tmp_path / "known.toml"
    known.write_text('name = "known"\n[[types]]\nname = "drug"\ndefinition_en = "medicines"\n')
    done = bioner("import", corpus, "--output", tmp_path / "gold.jsonl", "--label-set", known)
    assert done.code == 0, done.err
    assert "1 entity: drug 1" in done.out
    assert "left out: 3 unknown type" in done.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "spacy"), 2, "label-studio"),
        (("--map", "nil=x"), 2, "nil"),
        (("--map", "nil"), 2, "OLD=NEW"),
        (("--label-set", "nil"), 2, "label set 'nil'"),
        (("--label-set-output", "types.txt"), 2, ".toml"),
        (("--from", "conll"), 1, "line 1"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    bioner: Command, corpus: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """Catches half a corpus left behind by a run that failed."""
    output = tmp_path / "gold.jsonl"
    done = bioner("import", corpus, "--output", output, *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert not output.exists()


@pytest.mark.parametrize("form", ["brat", "conll", "pubtator"])
def test_a_corpus_that_is_not_there_is_a_usage_error(bioner: Command, tmp_path: Path, form: str) -> None:
    """Catches a mistyped path that imports 0 records and exits with 0, as brat's did."""
    output = tmp_path / "gold.jsonl"
    done = bioner("import", "--from", form, tmp_path / "nope", "--output", output)
    assert (done.code, done.out, output.exists()) == (2, "", False)
    assert "there is no such file or folder" in done.err


def test_nothing_of_the_users_is_overwritten(bioner: Command, corpus: Path, tmp_path: Path) -> None:
    """Catches definitions that somebody wrote, or the corpus itself, replaced by what was made from them."""
    made = tmp_path / "mine.toml"
    made.write_text("# definitions of mine\n")
    before = corpus.read_bytes()
    assert bioner("import", corpus, "--output", tmp_path / "a.jsonl", "--label-set-output", made).code == 2
    assert bioner("import", corpus, "--output", corpus).code == 2
    assert (made.read_text(), corpus.read_bytes()) == ("# definitions of mine\n", before)


@pytest.mark.parametrize("form", ["jsonl", "brat", "bioc-xml", "bioc-json", "pubtator", "conll"])
def test_exports_of_a_store_come_back(bioner: Command, tmp_path: Path, form: str) -> None:
    """Catches an export that our own import cannot read, or reads with other mentions."""
    store = word_store(tmp_path)
    exported, output = tmp_path / "exported", tmp_path / "gold.jsonl"
    assert bioner("export", "--store", store, "--format", form, "--output", exported, "--quiet").code == 0
    done = bioner("import", exported, "--output", output, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    counts = json.loads(bioner("export", "--store", store, "--format", form, "--output", tmp_path / "b", "--json").out)
    assert found["records"] == counts["documents"]
    # two label sets of the store find the same words as the same types
    assert found["misfits"] == ({"double": found["misfits"]["double"]} if found["misfits"] else {})
    doubles = found["misfits"].get("double", 0)
    assert found["entities"] == counts["mentions"] - counts["left_out_mentions"] - doubles


@pytest.mark.parametrize("form", ["jsonl", "brat", "bioc-json"])
def test_what_the_selector_turned_down_is_no_gold(bioner: Command, tmp_path: Path, form: str) -> None:
    """Catches candidates that an export has with --all-candidates, taken for what a human marked."""
    store = word_store(tmp_path)
    found = []
    for name, words in (("accepted", ()), ("all", ("--all-candidates",))):
        exported = tmp_path / name
        assert bioner("export", "--store", store, "--format", form, "--output", exported, "--quiet", *words).code == 0
        done = bioner("import", exported, "--output", tmp_path / f"{name}.jsonl", "--json")
        found.append(json.loads(done.out))
    assert found[0]["entities"] == found[1]["entities"]
    assert found[1]["misfits"]["turned down by the selector"] > 0


def test_evaluate_takes_the_forms_directly(bioner: Command, tmp_path: Path) -> None:
    """Catches a verb that still wants JSON lines: the folder is read up to where its types are no label set's."""
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "a.txt").write_text("CD28 binds.\n")
    (tmp_path / "brat" / "a.ann").write_text("T1\tnil 0 4\tCD28\n")
    done = bioner("evaluate", "--data", tmp_path / "brat", "--label-set", "genia")
    assert done.code == 2
    assert "nil" in done.err
