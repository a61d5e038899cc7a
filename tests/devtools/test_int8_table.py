"""The table of int8 in a model's card."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.mentions import Candidate
from bioner_core.models.precision import FLOAT32, INT8
from devtools.cross_corpus import GoldSet
from devtools.int8_table import compare


class Finds:
    """Accepts these words, and sees one more that it turns down."""

    fingerprint = "finds"

    def __init__(self, *words: str) -> None:
        self._words = words

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Its words in each text."""
        return [tuple(self._found(one.text)) for one in requests]

    def _found(self, text: str) -> list[Candidate]:
        places = [(word, text.find(word)) for word in (*self._words, "refused")]
        return [
            Candidate(at, at + len(word), "sym", 0.5, 0.5, accepted=word != "refused") for word, at in places if at >= 0
        ]


def test_what_is_lost_and_what_is_new_count_and_what_is_turned_down_does_not(tmp_path: Path) -> None:
    """Would catch a table that looks at F1 alone, in which one mention lost and another one won are no change."""
    text = "Fever came and chills; pain was refused."
    entities = [{"start": 0, "end": 5, "type": "sym"}, {"start": 15, "end": 21, "type": "sym"}]
    with gzip.open(tmp_path / "talk.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"id": "1", "lang": "en", "text": text, "entities": entities}) + "\n")
    of_precision = {FLOAT32: Finds("Fever", "pain"), INT8: Finds("chills", "pain")}
    gold_set = GoldSet("talk", ("talk",), "cmeee")
    (found,) = compare([gold_set], lambda _, precision: of_precision[precision], data=tmp_path, sentences=5)
    assert found.float32.f1 == found.int8.f1 == 50.0
    assert found.card_row == {"f1_lost": 0.0, "mentions_changed": 1.0}
    assert "talk: 1 sentences" in str(found)
