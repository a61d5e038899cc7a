"""When a candidate counts as a mention. Imports no torch."""

from collections.abc import Mapping


def accepts(thresholds: Mapping[str, float], label_set: str, score: float) -> bool:
    """Whether the selector's probability is enough; a label set without a threshold takes every candidate."""
    return score >= thresholds.get(label_set, 0.0)
