"""How candidates become mentions, and the fingerprint of it: all that may change without asking the model again.

The weights are those of a logistic model that says how likely an unmarked occurrence of a name is a mention, by what
the document shows.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bioner_core.document_pass.assertion import ASSERTION_VERSION
from bioner_core.mentions import Mention
from bioner_core.store.schema_version import SCHEMA_VERSION

THRESHOLD = 0.5
"""Probability from which a repeat is accepted."""


@dataclass(frozen=True, slots=True)
class RepeatFacts:
    """What a document shows of a name: accepted and other occurrences, and the accepted ones' mean selector score.

    `turned_down` says whether the decoder marked the very place and the selector turned it down.
    """

    name: str
    accepted: int
    occurrences: int
    mean_score: float
    turned_down: bool


def features(facts: RepeatFacts) -> tuple[float, ...]:
    """The numbers that the model weighs, the constant first."""
    share = facts.accepted / max(facts.occurrences, 1)
    return (
        1.0,
        share,
        math.log(facts.accepted),
        facts.mean_score,
        math.log(min(len(facts.name), 40)),
        float(any(char.isupper() for char in facts.name[1:])),
        float(facts.turned_down),
    )


WEIGHTS: tuple[float, ...] = (-4.9, 3.0, 0.5, 2.5, 0.0, 0.0, -0.5)
"""One for each of `features`. Set by hand: the corpora that were looked at have too few cases to fit them apart."""


def probability(facts: RepeatFacts, weights: tuple[float, ...] = WEIGHTS) -> float:
    """How likely such an occurrence is a mention."""
    total = sum(weight * value for weight, value in zip(weights, features(facts), strict=True))
    return 1.0 / (1.0 + math.exp(-total))


def mean_score(mentions: Sequence[Mention]) -> float:
    """The mean selector score of mentions, of which there is at least one."""
    return sum(one.selector_score for one in mentions) / len(mentions)


RULES_VERSION = "5"
"""Changes with any rule of the document pass that finishes a document otherwise; its weights count by themselves."""


@dataclass(frozen=True, slots=True)
class FinishSettings:
    """`thresholds` are the selector's (`models/tag_choice.py`); `document_pass` says whether that pass runs.

    Plain values only: it travels to Beam workers.
    """

    thresholds: tuple[tuple[str, float], ...] = ()
    document_pass: bool = True

    @staticmethod
    def of(thresholds: Mapping[str, float], *, document_pass: bool = True) -> "FinishSettings":
        """The settings with these thresholds."""
        return FinishSettings(tuple(sorted(thresholds.items())), document_pass)

    @property
    def fingerprint(self) -> str:
        """Hex digest of thresholds, rules, weights, what assertion goes by, and the schema version."""
        document_pass = [RULES_VERSION, WEIGHTS, THRESHOLD] if self.document_pass else None
        parts = [sorted(self.thresholds), document_pass, ASSERTION_VERSION, SCHEMA_VERSION]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
