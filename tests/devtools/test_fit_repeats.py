"""Fitting the weights of repeats."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bioner_core.document_pass.settings import WEIGHTS, RepeatFacts, probability
from bioner_core.mentions import Mention
from devtools.fit_repeats import Case, fitted, main


def _case(accepted: int, occurrences: int, *, is_gold: bool) -> Case:
    return Case(RepeatFacts("aspirin", accepted, occurrences, 0.9, turned_down=False), is_gold)


def test_weights_follow_the_cases_and_stay_without_any() -> None:
    """Catches a fit that turns its answers round, and one that makes weights of nothing."""
    often, seldom = _case(3, 4, is_gold=True), _case(1, 9, is_gold=False)
    weights = fitted([often] * 30 + [seldom] * 30)
    assert probability(often.facts, weights) > 0.5 > probability(seldom.facts, weights)
    assert fitted([]) == WEIGHTS


def _mention(text: str, start: int, end: int) -> dict[str, Any]:
    place = (f"gold:1@1:p0:{start}-{end}:bc5cdr:Chemical", "gold:1", 1, 0, "text", "en", 0, start, end)
    return asdict(Mention(*place, text[start:end], "bc5cdr", "Chemical", None, 0, 5.0, 0.9, accepted=True))


def test_each_corpus_is_judged_by_the_others_and_some_are_never_fitted_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a corpus among its own judges, and kept sets that leak into the weights."""
    text = "Aspirin and aspirin and aspirin. Give aspirin."
    gold = [{"start": start, "end": start + 7, "type": "Drug"} for start in (0, 12, 24, 38)]
    words = []
    for name, found in (("one", gold), ("two", gold), ("kept", gold[:3])):
        record = {"id": "1", "lang": "en", "text": text, "entities": found}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
        rows = [_mention(text, start, start + 7) for start in (0, 12, 24)]
        (tmp_path / f"{name}-bc5cdr-5.jsonl").write_text(json.dumps(rows) + "\n")
        words += ["--judge" if name == "kept" else "--fit", f"{name}={tmp_path / name}.jsonl:bc5cdr:Drug=Chemical"]
    assert main([*words, "--limit", "5", "--candidates", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    one, two, kept = found["corpora"]
    assert [row["cases"] for row in (one, two, kept)] == [1, 1, 1]
    assert (one["gold"], kept["gold"]) == (1, 0)
    assert one["weights_of_others"] == two["weights_of_others"]
    assert kept["weights_of_others"] == found["weights_of_all"] != found["weights_today"]
    assert one["f1_off"] == pytest.approx(85.71)
    assert one["f1"] == 100.0
