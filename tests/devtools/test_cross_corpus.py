"""The table of one model on every corpus."""

import gzip
import json
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import load_label_set
from devtools.cross_corpus import GOLD_SETS, GoldSet, chosen_sets, gold_records


def write_gold(folder: Path, name: str) -> None:
    """A corpus of two texts with two sentences each."""
    text = "Fever came. Then it went."
    entities = [{"start": 0, "end": 5, "type": "symptom"}]
    (folder / name).parent.mkdir(parents=True)
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        for number in range(2):
            file.write(json.dumps({"id": str(number), "lang": "en", "text": text, "entities": entities}) + "\n")


def test_sentences_are_drawn_by_seed_with_their_gold(tmp_path: Path) -> None:
    """Catches a sample that changes from run to run, loses spans, or keeps the data's own names of types."""
    write_gold(tmp_path, "talk/dev")
    gold_set = GoldSet("talk", ("talk/dev",), "cmeee", new_names={"symptom": "sym"}, types=("sym",))
    whole = gold_records(gold_set, tmp_path, sentences=None)
    assert [len(one.spans) for one in whole] == [1, 1]
    drawn = gold_records(gold_set, tmp_path, sentences=3)
    assert drawn == gold_records(gold_set, tmp_path, sentences=3)
    assert len(drawn) == 3
    marked = [(one.text[span.start : span.end], span.type) for one in drawn for span in one.spans]
    assert set(marked) == {("Fever", "sym")}


def test_every_set_has_a_label_set_with_its_types() -> None:
    """Catches a set whose types are misspelt: it would be scored on nothing."""
    for one in GOLD_SETS:
        assert set(one.types) <= set(load_label_set(one.label_set).type_names)


def test_a_set_that_is_not_there_is_named() -> None:
    """Catches a misspelt --only that scores nothing and looks like success."""
    with pytest.raises(ConfigurationError, match="genia tset"):
        chosen_sets(["genia tset"])
