"""Files as the tools write them, good and broken: what is read, what is reported, and how an error names the place."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.gold.forms import FORMS, form_of, read_form
from bioner_core.gold.record import GoldRecord, ImportedRecord
from bioner_core.mentions import Span
from tests.bioner_core.gold.gold_samples import label_studio_task

TEXT = "Aspirin eased the\nchronic pain of ten rats."
GOLD = GoldRecord("a", "en", TEXT, frozenset({Span(0, 7, "drug")}))


def only(path: Path, form: str | None = None) -> ImportedRecord:
    """The one record of a corpus."""
    (found,) = read_form(path, form)
    return found


def spans(found: ImportedRecord) -> set[tuple[str, str]]:
    """Type and text of each span."""
    assert found.record is not None
    return {(one.type, found.record.text[one.start : one.end]) for one in found.record.spans}


def kinds(found: ImportedRecord) -> list[str]:
    """The kinds of what did not fit."""
    return [str(one.kind) for one in found.misfits]


def brat(folder: Path, lines: Sequence[str]) -> Path:
    """A brat folder of one document."""
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text(TEXT + "\n")
    (folder / "sub" / "a.ann").write_text("".join(f"{one}\n" for one in lines))
    return folder


def test_brat_with_all_its_kinds_of_lines(tmp_path: Path) -> None:
    """Catches a mention across a line end taken for a discontinuous one, and what is no span passed over in silence."""
    lines = (
        "T1\tdrug 0 7\tAspirin",
        "T2\tsymptom 18 30\tchronic pain",
        "T3\tsymptom 14 17;18 25\tthe chronic",
        "T4\tsymptom 8 13;26 30\teased pain",
        "T5\tsymptom 8 13\trelieved",
        "T6\tsymptom 38 99\tfar off",
        "T7\tcross 0 13\tAspirin eased",
        "T8\tcross 8 17\teased the",
        "N1\tReference T1 MESH:D001241\tAspirin",
        "R1\ttreats Arg1:T1 Arg2:T2",
        "A1\tNegated T2",
        "#1\tAnnotatorNotes T1\tsure",
    )
    found = only(brat(tmp_path / "corpus", lines))
    assert spans(found) == {
        ("drug", "Aspirin"),
        ("symptom", "chronic pain"),
        ("symptom", "the\nchronic"),
        ("cross", "Aspirin eased"),
        ("cross", "eased the"),
    }
    assert sorted(kinds(found)) == [
        "crossing", "crossing", "crossing", "discontinuous", "not a span", "not a span",
        "offsets that do not match the text", "offsets that do not match the text",
    ]  # fmt: skip
    assert "a.ann, line 4" in next(one.where for one in found.misfits if one.kind == "discontinuous")
    assert found.record is not None
    assert found.record.concepts == {Span(0, 7, "drug"): "MESH:D001241"}
    assert found.record.text == TEXT


def test_what_a_form_leaves_out_is_no_gold_to_score(tmp_path: Path) -> None:
    """Catches an evaluation on a corpus that lost entities on the way, without a word."""
    folder = brat(tmp_path / "corpus", ("T1\tdrug 0 7;18 25\tAspirin chronic",))
    with pytest.raises(InputError, match=r"a\.ann, line 1: discontinuous.*bioner import"):
        list(read_corpus(folder))
    kept = brat(tmp_path / "good", ("T1\tdrug 0 7\tAspirin", "R1\tx Arg1:T1 Arg2:T1"))
    assert [one.spans for one in read_corpus(kept)] == [GOLD.spans]


def test_a_text_that_nobody_annotated_is_no_record_without_entities(tmp_path: Path) -> None:
    """Catches unfinished work that is scored, or trained on, as text without any entity."""
    (tmp_path / "a.txt").write_text(TEXT)
    assert kinds(only(tmp_path)) == ["not annotated"]
    tasks = [label_studio_task(GOLD), {"id": 2, "data": {"text": "x"}, "annotations": []}]
    tasks.append({"id": 3, "data": {"text": "y"}, "annotations": [{"was_cancelled": True, "result": []}]})
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    assert [one.record is None for one in read_form(path)] == [False, True, True]


def test_the_newest_annotation_of_a_task_is_taken(tmp_path: Path) -> None:
    """Catches a correction that its first version overrules, and predictions taken for gold."""
    first, second = (label_studio_task(GOLD)["annotations"][0] for _ in range(2))
    second["result"] = [
        {"type": "labels", "value": {"start": 18, "end": 30, "text": "chronic pain", "labels": ["symptom", "sign"]}},
        {"type": "choices", "value": {"choices": ["good"]}},
    ]
    task = label_studio_task(GOLD)
    task["annotations"] = [second | {"updated_at": "2026-02-01"}, first | {"updated_at": "2026-01-01"}]
    task["predictions"] = [{"result": [{"type": "labels", "value": {"start": 0, "end": 3, "labels": ["no"]}}]}]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task]))
    found = only(path)
    assert spans(found) == {("symptom", "chronic pain"), ("sign", "chronic pain")}
    assert sorted(kinds(found)) == ["annotation of another person", "not a span"]


def test_the_smaller_export_of_label_studio(tmp_path: Path) -> None:
    """Catches JSON-MIN, which has no annotations key, read as texts without entities."""
    path = tmp_path / "min.json"
    value = {"start": 0, "end": 7, "text": "Aspirin", "labels": ["drug"]}
    path.write_text(json.dumps([{"text": TEXT, "id": 4, "label": [value], "annotator": 1, "annotation_id": 2}]))
    assert form_of(path) is FORMS["label-studio"]
    assert spans(only(path)) == {("drug", "Aspirin")}


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1, "text": TEXT, "label": [[0, 7, "drug"]]},
        {"id": 1, "text": TEXT, "labels": [[0, 7, "drug"]]},
        {"id": 1, "text": TEXT, "entities": [{"id": 1, "label": "drug", "start_offset": 0, "end_offset": 7}]},
    ],
)
def test_the_forms_of_doccano(tmp_path: Path, line: dict[str, object]) -> None:
    """Catches one of doccano's three ways of writing a label."""
    path = tmp_path / "doccano.jsonl"
    path.write_text(json.dumps(line) + "\n")
    assert form_of(path) is FORMS["doccano"]
    assert spans(only(path)) == {("drug", "Aspirin")}


@pytest.mark.parametrize(
    "tags",
    ["B-x I-x O B-x B-x", "I-x I-x O I-x B-x", "B-x E-x O S-x S-x", "B-x L-x O U-x U-x"],
)
@pytest.mark.parametrize("separator", ["\t", " ", " _ _ "])
def test_conll_of_any_scheme(tmp_path: Path, tags: str, separator: str) -> None:
    """Catches two neighbours read as one mention, and a scheme in which the end has a letter of its own."""
    words = ("chronic", "pain", "of", "rats", "mice")
    lines = (f"{word}{separator}{tag}\n" for word, tag in zip(words, tags.split(), strict=True))
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- -X- O\n\n" + "".join(lines) + "\n肺 B-y\n炎 I-y\n")
    assert form_of(path) is FORMS["conll"]
    first, second = read_form(path)
    assert spans(first) == {("x", "chronic pain"), ("x", "rats"), ("x", "mice")}
    assert spans(second) == {("y", "肺炎")}
    assert second.record is not None
    assert (second.record.text, second.record.lang) == ("肺炎", "zh")


@pytest.mark.parametrize("separator", ["\t", " "])
def test_conll_tokens_that_begin_with_a_hash_are_no_comments(tmp_path: Path, separator: str) -> None:
    """Catches a token that is lost as a comment, and a comment that ends a sentence and cuts a mention in two."""
    tokens = ("#3 B-x", "of O", "compound B-x", "# I-x", "7 I-x", "# O", "a O")
    first, second, *rest = (one.replace(" ", separator) for one in tokens)
    path = tmp_path / "a.conll"
    path.write_text("\n".join(("# sent_id 1 of these", first, "# no token here", second, *rest, "")))
    assert form_of(path) is FORMS["conll"]
    found = only(path)
    assert found.record is not None
    assert found.record.text == "#3 of compound # 7 # a"
    assert spans(found) == {("x", "#3"), ("x", "compound # 7")}
    path.write_text("# O\nrats B-x\n")
    assert form_of(path) is FORMS["conll"]


def test_brat_files_of_one_name_in_two_folders_are_two_records(tmp_path: Path) -> None:
    """Catches `train/1.txt` and `test/1.txt` that both become record `1`."""
    for name in ("train/1", "test/1"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.txt").write_text(TEXT)
        (tmp_path / f"{name}.ann").write_text("T1\tdrug 0 7\tAspirin\n")
    assert [one.record.record_id for one in read_form(tmp_path) if one.record] == ["test/1", "train/1"]
    assert [one.record.record_id for one in read_form(tmp_path / "test" / "1.ann") if one.record] == ["1"]


def test_bioc_offsets_that_count_bytes_are_reported(tmp_path: Path) -> None:
    """Catches a span cut at the wrong place because a file counts otherwise."""
    annotation = {"id": "T1", "infons": {"type": "drug"}, "locations": [{"offset": 2, "length": 7}], "text": "Aspirin"}
    passage = {
        "offset": 0,
        "infons": {},
        "text": "é Aspirin.",
        "annotations": [annotation, annotation | {"infons": {}}],
    }
    passage["annotations"] += [annotation | {"locations": [{"offset": 3, "length": 7}]}]  # type: ignore[operator]
    path = tmp_path / "bioc.json"
    path.write_text(json.dumps({"documents": [{"id": "7", "infons": {}, "passages": [passage]}]}))
    found = only(path)
    assert spans(found) == {("drug", "Aspirin")}
    assert sorted(kinds(found)) == ["no type", "offsets that do not match the text"]


PUBTATOR = "7|t|Aspirin\n7|a|Ten rats.\n7\t0\t7\tAspirin\tdrug\tD001241\n7\t12\t16\trats\tspecies\t-\n\n"


def test_pubtator_keeps_concepts(tmp_path: Path) -> None:
    """Catches identifiers that are lost, and a dash taken for one."""
    path = tmp_path / "a.txt"
    path.write_text(PUBTATOR)
    found = only(path)
    assert spans(found) == {("drug", "Aspirin"), ("species", "rats")}
    assert found.record is not None
    assert list(found.record.concepts.values()) == ["D001241"]


BROKEN: dict[str, tuple[str, str, str]] = {
    "brat line": ("a.ann", "T1\tdrug 0 7\tAspirin\nhello\n", "a.ann, line 2"),
    "brat entity": ("a.ann", "T1\tdrug zero 7\tAspirin\n", "a.ann, line 1"),
    "brat huge offset": ("a.ann", f"T1\tdrug 0 {'9' * 400}\tAspirin\n", "a.ann, line 1"),
    "brat bytes": ("a.ann", "T1\tdrug 0 7\tAspirin\n\udcff\n", "a.ann, line 2"),
    "conll": ("a.conll", "rats O\nmice\n", "a.conll, line 2"),
    "conll tag": ("a.conll", "rats O\nmice Q-x\n", "a.conll, line 2"),
    "conll offsets": ("a.conll", "-DOCSTART-\td\t0\tO\n\nrats\t0\t9\tO\n", "a.conll, line 3"),
    "conll number": ("a.conll", f"-DOCSTART-\td\t0\tO\n\nrats\t{'9' * 30}\t9\tO\n", "a.conll, line 3"),
    "conll far": ("a.conll", "-DOCSTART-\td\t0\tO\n\nrats\t900000000\t900000004\tO\n", "a.conll, line 3"),
    "conll nothing": ("a.conll", "rats B-x\n\tO\n", "a.conll, line 2"),
    "doccano": ("a.jsonl", '{"text": "x", "label": []}\n{"text": "x", "label": [[0, "1", "a"]]}\n', "a.jsonl, line 2"),
    "doccano none": ("a.jsonl", '{"text": "x", "label": []}\n{"text": "x"}\n', "a.jsonl, line 2"),
    "doccano depth": ("a.jsonl", '{"text": "x", "label": []}\n' + "[" * 9999 + "\n", "a.jsonl, line 2"),
    "studio": ("a.json", '[{"annotations": [], "data": {"text": 3}}]', "a.json, task 1"),
    "studio value": ("a.json", '[{"data": {"text": ""}, "annotations": [{"result": [{"type": "labels"}]}]}]', "task 1"),
    "studio json": ("a.json", '[{"data": {"text": "x"},\n "annotations": [}]', "line 2"),
    "export": ("a.jsonl", '{"doc_id": "a", "passages": []}\n{"doc_id": "a", "passages": 3}\n', "a.jsonl, line 2"),
    "pubtator": ("a.pubtator", PUBTATOR + "8|t|Mice\nwhat is this\n", "document 2"),
    "bioc": ("a.xml", "<collection><source>s</source><document><id>1</id><passage><offset>x</offset>"
             "<text>t</text></passage></document></collection>", "document 1"),
    "bioc cut": ("a.xml", "<collection><source>s</source><document><id>1</id>", "document 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_with_its_place(tmp_path: Path, case: str) -> None:
    """Catches a stack trace, or a line that is skipped in silence."""
    name, content, place = BROKEN[case]
    path = tmp_path / name
    path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
    if name == "a.ann":
        path.with_suffix(".txt").write_text(TEXT)
    with pytest.raises(InputError, match=place):
        list(read_form(path))


def test_a_form_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """Catches a name of a form that is taken for another, and an .ann without its text."""
    with pytest.raises(ConfigurationError, match=r"--from.*label-studio"):
        list(read_form(tmp_path, "spacy"))
    (tmp_path / "a.ann").write_text("")
    with pytest.raises(InputError, match=r"a\.txt"):
        list(read_form(tmp_path))
