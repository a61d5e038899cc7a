"""The fingerprint of an annotator: one digest of everything that its candidates depend on. Imports no torch."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.directory import files_digest
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.precision import INT8, INT8_VERSION
from bioner_core.models.tag_choice import asked_parts, chosen_tags, free_types, is_free, opening_bias, own_label_sets
from bioner_core.text.folding import FOLDING_VERSION
from bioner_core.text.sentences import SPLITTER_VERSION

DECODING_VERSION = "3"
"""Changes whenever the decoders' answers change."""

COMPOSITION_VERSION = "1"
"""Changes whenever the rows of tags that a model was not trained for are composed otherwise."""


def annotator_fingerprint(folder: Path, label_sets: Sequence[LabelSet], *, precision: str, use_selector: bool) -> str:
    """Digest of base, weights, prompt, scheme, label sets, decoding parameters, splitter and folding.

    The weights are those of the selector too, which scores; its thresholds, which accept, are of the finish pass. What
    the card says of meanings and label sets counts by what follows of it: the parts that are asked for, and their tags.

    Raises:
        ModelError: there is no model in the folder, or it has too few free tags for a label set.
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
        "label_sets": sorted((_as_asked(one, card) for one in label_sets), key=lambda one: str(one["name"])),
        "decoding": DECODING_VERSION,
        "precision": precision,
        "selector": use_selector,
        "splitter": SPLITTER_VERSION,
        "folding": FOLDING_VERSION,
    }
    if precision == INT8:
        parts["int8"] = INT8_VERSION
    if not any(map(is_free, card.tags)) and any(free_types(one, card) for one in label_sets):
        trained = [(one.tag, *_words(one)) for own in own_label_sets(card) for one in own.types]
        parts["unseen_tags"] = [COMPOSITION_VERSION, trained]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _as_asked(label_set: LabelSet, card: ModelCard) -> dict[str, Any]:
    """All of a label set that an annotator reads: each part that it asks for, with the tag that marks each type.

    Wordings that only training reads, and what is said of the label set to people, change no answer.
    """
    parts = [
        [(tag, one.name, *_words(one)) for one, tag in zip(part.types, chosen_tags(part, card), strict=True)]
        for part in asked_parts(label_set, card)
    ]
    asked: dict[str, Any] = {"name": label_set.name, "languages": label_set.languages, "parts": parts}
    bias = opening_bias(label_set, card)
    if card.open_bias.get(label_set.name, bias) != bias:
        # Before, the name alone decided: what was found under the bias of a namesake is not what is found now.
        asked["open_bias"] = bias
    return asked


def _words(one: EntityType) -> tuple[str, ...]:
    """A type's names and definitions, in both languages: a prompt is in one, and composed rows go by both."""
    return one.en, one.zh, one.definition_en, one.definition_zh
