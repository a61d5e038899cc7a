"""`model.toml`: what a model directory says of itself."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from bioner_core.errors import ModelError
from bioner_core.tagging.scheme import TagScheme
from bioner_core.typed_json import typed

CARD_FILE = "model.toml"

F1_LOST = "f1_lost"
MENTIONS_CHANGED = "mentions_changed"
MOST_F1_LOST = 0.3
"""Points of F1 that int8 may cost on each corpus of the card's table for `auto` to take it: less than chance moves."""

MOST_MENTIONS_CHANGED = 0.02
"""Mentions that int8 may lose or add on each of them, as a share of float32's: a user who did not ask for it would see
more."""


def other_label_sets(language: str) -> str:
    """The name in a card's opening biases of every label set for this language that has none of its own."""
    return f"*:{language}"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is made of and how good it is.

    `base_licence` are the terms of the base in words, where they are known: of a base that bioner can fetch;
    `characters` are those with embedding rows of their own; `thresholds` the selector's acceptance threshold by label
    set, in models without `type_thresholds`, which are by tag, with a `common_threshold` for every other tag;
    `default_label_sets` are those it is used with where nobody names any, if they are not the bundled default ones;
    `open_bias` what is added to the logits of opening tags, and `tag_thresholds` the tag score from which a selector
    that knows nothing else would accept (a yardstick for evaluation, no part of any answer), each per label set;
    `open_bias` also has one per language (`other_label_sets`) for all that the model was not trained for;
    `meanings` are the definitions that each tag was trained under, `definition_rank` the dimensions in which states are
    compared with definitions (both empty in models whose tags stand for themselves);
    `int8` says, by corpus, what int8 does to the answers (`F1_LOST`, in points, and `MENTIONS_CHANGED`, a share);
    `training` and `metrics` are free-form tables for people, and `about` holds what only a person can write: title,
    summary, data and their terms, intended use, limits (`models/card_page.py` says how it is shown).
    """

    name: str
    base: str
    base_sha256: str
    scheme: TagScheme
    prompt_version: str
    tags: tuple[str, ...]
    characters: str
    label_sets: tuple[str, ...]
    thresholds: dict[str, float] = field(default_factory=dict)
    open_bias: dict[str, float] = field(default_factory=dict)
    tag_thresholds: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    meanings: dict[str, list[str]] = field(default_factory=dict)
    definition_rank: int = 0
    type_thresholds: dict[str, float] = field(default_factory=dict)
    common_threshold: float = 0.0
    int8: dict[str, dict[str, float]] = field(default_factory=dict)
    default_label_sets: tuple[str, ...] = ()
    base_licence: str = ""


def int8_is_good(table: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether a card's table of int8 shows that hardly an answer changes; a card without one shows nothing."""
    return bool(table) and all(
        one.get(F1_LOST, 100.0) <= MOST_F1_LOST and one.get(MENTIONS_CHANGED, 1.0) <= MOST_MENTIONS_CHANGED
        for one in table.values()
    )


def read_card(folder: Path) -> ModelCard:
    """Read a model directory's card.

    Raises:
        ModelError: no card there, or a field is missing; the message names it.
    """
    path = folder / CARD_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(ModelCard)}  # later versions may have more
        card = typed(ModelCard, {name: value for name, value in data.items() if name in known})
        if card.definition_rank < 0:
            raise ValueError(f"definition_rank: {card.definition_rank} is below 0")
        return card
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError(f"{folder} is no model directory: it has no {CARD_FILE}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: missing or bad field {error}") from error


def write_card(card: ModelCard, folder: Path) -> None:
    """Write a model directory's card."""
    data: dict[str, Any] = {
        "name": card.name,
        "base": card.base,
        "base_sha256": card.base_sha256,
        "scheme": str(card.scheme),
        "prompt_version": card.prompt_version,
        "tags": list(card.tags),
        "label_sets": list(card.label_sets),
        "characters": card.characters,
        "thresholds": card.thresholds,
        "open_bias": card.open_bias,
        "tag_thresholds": card.tag_thresholds,
        "training": card.training,
        "metrics": card.metrics,
        "about": card.about,
        "definition_rank": card.definition_rank,
        "meanings": card.meanings,
        "common_threshold": card.common_threshold,
        "type_thresholds": card.type_thresholds,
        "int8": card.int8,
    }
    if card.base_licence:
        data["base_licence"] = card.base_licence
    if card.default_label_sets:
        data["default_label_sets"] = list(card.default_label_sets)
    (folder / CARD_FILE).write_text(tomli_w.dumps(data), encoding="utf-8")
