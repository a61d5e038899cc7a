"""How candidates become mentions, and the fingerprint of it: all that may change without asking the model again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from bioner_core.document_pass.assertion import ASSERTION_VERSION
from bioner_core.document_pass.repeat_score import THRESHOLD, WEIGHTS
from bioner_core.store.schema_version import SCHEMA_VERSION

RULES_VERSION = "3"
"""Changes with any rule of the document pass that finishes a document otherwise; its weights count by themselves."""


@dataclass(frozen=True, slots=True)
class FinishSettings:
    """`thresholds` are the selector's (`selector/acceptance.py`); `document_pass` says whether that pass runs.

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
