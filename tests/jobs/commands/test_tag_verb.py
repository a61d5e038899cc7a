"""`bioner tag`."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from job_commands import Command

import bioner as package
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.mentions import Candidate


class WordFinder:
    """Finds `CD28`, and around it the whole sentence, turned down."""

    fingerprint = "words"
    thresholds = {"genia": 0.5}  # noqa: RUF012

    def annotate(self, requests: list[AnnotationRequest]) -> list[tuple[Candidate, ...]]:
        """One candidate for the word where there is one, and one for the sentence."""
        return [
            (
                *(
                    Candidate(start, start + 4, "protein", 1.0, 0.9, True)
                    for start in range(len(one.text))
                    if one.text.startswith("CD28", start)
                ),
                Candidate(0, len(one.text), "DNA", 0.1, 0.1, False),
            )
            for one in requests
        ]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, model_card: Path, pulled_base: None) -> list[dict[str, Any]]:
    """What models were loaded with; each finds words."""
    calls: list[dict[str, Any]] = []

    def load_model(name: str, **settings: Any) -> package.Model:
        calls.append({"name": name, **settings})
        return package.Model(WordFinder(), settings["label_sets"])

    monkeypatch.setattr(package, "load_model", load_model)
    return calls


def test_texts_are_tagged_in_order(bioner: Command, loaded: list[dict[str, Any]], model_card: Path) -> None:
    """Catches offsets into a sentence, texts that change places, or an option that does not reach the model."""
    words = ("tag", "Nothing. CD28 binds.", "And CD28.", "--model", model_card, "--label-set", "genia")
    done = bioner(*words, "--precision", "float32", "--json")
    texts = json.loads(done.out)["texts"]
    found = [[(m["start"], m["text"]) for m in one["mentions"] if m["accepted"]] for one in texts]
    assert (done.code, found) == (0, [[(9, "CD28")], [(4, "CD28")]])
    assert [one["lang"] for one in texts] == ["en", "en"]
    (call,) = loaded
    assert (call["name"], call["precision"]) == (str(model_card), "float32")
    assert [one.name for one in call["label_sets"]] == ["genia"]


@pytest.mark.usefixtures("loaded")
def test_the_terminal_names_types_and_draws_what_was_accepted(bioner: Command, model_card: Path) -> None:
    """Catches a drawing without type names, or with what the selector turned down unasked."""
    words = ("tag", "CD28 binds.", "--model", model_card, "--label-set", "genia")
    plain, whole = bioner(*words), bioner(*words, "--rejected")
    assert "protein" in plain.out
    assert "DNA" not in plain.out
    assert "DNA" in whole.out


@pytest.mark.usefixtures("loaded")
def test_a_file_and_standard_input_are_read(
    bioner: Command, tmp_path: Path, model_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a file whose name is tagged instead of its content, and a pipe that is ignored."""
    file, page = tmp_path / "abstract.txt", tmp_path / "page.html"
    file.write_bytes("\ufeffCD28 in a file.".encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"A pipe with CD28.")))
    done = bioner("tag", file, "-", "--model", model_card, "--label-set", "genia", "--json")
    mentions = [[m["start"] for m in one["mentions"] if m["accepted"]] for one in json.loads(done.out)["texts"]]
    assert mentions == [[0], [12]]
    done = bioner("tag", file, "--model", model_card, "--label-set", "genia", "--html", page)
    assert (done.code, done.out) == (0, f"{page}: 1 mention\n")
    assert "CD28" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("a text", "--lang", "fr"), 2, "choose en or zh"),
        (("one", "two", "--html", "page.html"), 2, "a page shows one text"),
        (("a text", "--label-set", "nosuch"), 2, "nosuch"),
        (("a text", "--model", "nosuch"), 2, "nosuch"),
        (("{binary}",), 1, "no text in UTF-8"),
    ],
)
def test_what_cannot_be_tagged_is_one_line(
    bioner: Command, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """Catches a traceback, or a model that is loaded before the mistake is seen."""
    binary = tmp_path / "dump.gz"
    binary.write_bytes(b"\x1f\x8b\xff\xfe")
    done = bioner("tag", *(one.format(binary=binary) for one in words))
    assert (done.code, done.out) == (code, "")
    assert said in done.err.splitlines()[-1]


def test_a_sentence_is_no_path(bioner: Command, loaded: list[dict[str, Any]], model_card: Path) -> None:
    """Catches a long sentence, or one with a null byte, that ends in an error of the file system."""
    for text in ("CD28 and more. " * 400, "CD28 \x00 here."):
        done = bioner("tag", text, "--model", model_card, "--label-set", "genia", "--json")
        assert done.code == 0
        assert json.loads(done.out)["texts"][0]["mentions"]
