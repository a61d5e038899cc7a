"""How far a model and a curator agree: strict F1, and Cohen's kappa over tokens, for each type and over all."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.evaluation.scoring import RecordSpans, Score, score, score_by_type
from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Span
from bioner_core.text.units import core_spans


@dataclass(frozen=True, slots=True)
class Agreement:
    """`strict` takes the curator's spans for gold; `kappa` is over tokens inside an entity or not.

    A kappa is None where both sides put all tokens on the same side: chance alone agrees as well.
    """

    records: int
    changed: int
    tokens: int
    strict: Score
    kappa: float | None
    by_type: dict[str, Score]
    kappa_by_type: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """The figures as one object; `kappa` of a type stands beside its scores."""
        by_type = {name: {**asdict(one), "kappa": self.kappa_by_type[name]} for name, one in self.by_type.items()}
        counts = {"records": self.records, "changed": self.changed, "tokens": self.tokens}
        return {**counts, **asdict(self.strict), "kappa": self.kappa, "by_type": by_type}


def agreement(pairs: Sequence[tuple[GoldRecord, GoldRecord]]) -> Agreement:
    """Compare what a model (first) and a curator (second) marked in the same texts."""
    sides = [RecordSpans(gold=curator.spans, predicted=model.spans) for model, curator in pairs]
    tokens = [_tokens(model.text) for model, _ in pairs]
    by_type = score_by_type(sides)
    return Agreement(
        records=len(pairs),
        changed=sum(one.gold != one.predicted for one in sides),
        tokens=sum(map(len, tokens)),
        strict=score(sides),
        kappa=_kappa(sides, tokens, None),
        by_type=by_type,
        kappa_by_type={name: _kappa(sides, tokens, name) for name in by_type},
    )


def _tokens(text: str) -> list[tuple[int, int]]:
    return [(start, end) for start, end in core_spans(text) if not text[start:end].isspace()]


def _kappa(
    sides: Sequence[RecordSpans], tokens: Sequence[Sequence[tuple[int, int]]], type_name: str | None
) -> float | None:
    """Cohen's kappa of "this token is inside an entity (of this type)"."""
    total = both = of_curator = of_model = 0
    for side, places in zip(sides, tokens, strict=True):
        curator, model = (_inside(spans, places, type_name) for spans in side)
        total += len(places)
        both += len(curator & model)
        of_curator += len(curator)
        of_model += len(model)
    if not total:
        return None
    observed = (total - of_curator - of_model + 2 * both) / total
    expected = (of_curator * of_model + (total - of_curator) * (total - of_model)) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _inside(spans: frozenset[Span], places: Sequence[tuple[int, int]], type_name: str | None) -> set[int]:
    """The tokens of which a span has a character."""
    ends = [end for _, end in places]
    found: set[int] = set()
    for span in spans:
        if type_name in (None, span.type):
            index = bisect_left(ends, span.start + 1)
            while index < len(places) and places[index][0] < span.end:
                found.add(index)
                index += 1
    return found
