"""The fingerprint of an annotator: one digest of everything that its candidates depend on. Imports no torch."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.directory import files_digest
from bioner_core.models.model_card import read_card
from bioner_core.models.precision import INT8, INT8_VERSION
from bioner_core.text.folding import FOLDING_VERSION
from bioner_core.text.sentences import SPLITTER_VERSION

DECODING_VERSION = "3"
"""Changes whenever the decoders' answers change."""

COMPOSITION_VERSION = "1"
"""Changes whenever the rows of tags that a model was not trained for are composed otherwise."""


def annotator_fingerprint(folder: Path, label_sets: Sequence[LabelSet], *, precision: str, use_selector: bool) -> str:
    """Digest of base, weights, prompt, scheme, label sets, decoding parameters, splitter and folding.

    The weights are those of the selector too, which scores; its thresholds, which accept, are of the finish pass.

    Raises:
        ModelError: there is no model in the folder.
    """
    card = read_card(folder)
    parts = {
        "base": card.base_sha256,
        "weights": files_digest(folder),
        "prompt": card.prompt_version,
        "scheme": str(card.scheme),
        "tags": card.tags,
        "characters": card.characters,
        "open_bias": card.open_bias,
        "label_sets": sorted(map(_as_asked, label_sets), key=lambda one: str(one["name"])),
        "decoding": DECODING_VERSION,
        "precision": precision,
        "selector": use_selector,
        "splitter": SPLITTER_VERSION,
        "folding": FOLDING_VERSION,
    }
    if precision == INT8:
        parts["int8"] = INT8_VERSION
    if any(one.tag not in card.tags for label_set in label_sets for one in label_set.types):
        parts["unseen_tags"] = COMPOSITION_VERSION
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _as_asked(label_set: LabelSet) -> dict[str, Any]:
    """All of a label set that an annotator reads: wordings that only training reads change no answer."""
    said = asdict(label_set)
    for one in said["types"]:
        for unread in ("other_names", "other_definitions", "untrained_definitions"):
            del one[unread]
    return said
