"""`bioner evaluate`: what is checked before a model is loaded, and the form of the result."""

import json
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core import annotator
from bioner_core.annotation import NullAnnotator
from bioner_core.errors import ModelError
from bioner_core.models.base_model import SMOLLM2, is_pulled
from bioner_core.models.directory import model_folder

GOLD = {"id": "1", "lang": "en", "text": "CD28 binds IL-2.", "entities": [{"start": 0, "end": 4, "type": "protein"}]}


class SelectingNothing(NullAnnotator):
    """Finds nothing, and has a selector."""

    has_selector = True


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
        (("--label-set", "genia", "--model", "nope"), 1),
    ],
)
def test_mistakes_are_found_before_the_model_is_loaded(
    bioner: Command, gold: Path, words: tuple[str, ...], code: int
) -> None:
    """Catches a minute of loading that ends with a usage error, or labels that never match and score 0 silently."""
    done = bioner("evaluate", "--data", gold, *words)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert done.err.startswith("error: ")


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
    assert found["number_format"] == "bfloat16"
    assert "nested only" in bioner(*words).out


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
    for changing in ("decoder", "seconds", "sentences_per_second"):
        del drafted[changing], reference[changing]
    assert drafted == reference
