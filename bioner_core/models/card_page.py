"""The page of a model, in Markdown, made from its `model.toml` alone: what it is for, how good, from what, its limits.

`about` in the card may hold `title`, `summary`, `shipped`, `intended_use`, `limits` and `notes` (texts), and `data`, a
list of tables with `corpus`, `part`, `terms` and, where there is one, `source`. What is not there is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioner_core.models.directory import files_digest
from bioner_core.models.model_card import ModelCard, other_label_sets, read_card
from bioner_core.models.tag_choice import is_free

_DATA_COLUMNS = {"corpus": "corpus", "part": "part", "terms": "terms, as read", "source": "source"}


def model_page(folder: Path) -> str:
    """The page of the model in a directory; the same files give the same page.

    Raises:
        ModelError: there is no model there.
    """
    return card_page(read_card(folder), weights_digest=files_digest(folder))


def card_page(card: ModelCard, *, weights_digest: str) -> str:
    """The page of a card; `weights_digest` is the digest of the weight files beside it."""
    about = card.about
    sections = [
        ("", [str(about.get("summary", ""))]),
        ("Intended use", [str(about.get("intended_use", ""))]),
        ("Limits", [str(about.get("limits", ""))]),
        ("Scores", list(_scores(card))),
        ("Training data", [_data_table(about.get("data", []))]),
        ("Training", [_table(("setting", "value"), _pairs(card.training)), str(about.get("notes", ""))]),
        ("What it is made of", [str(about.get("shipped", "")), _table(("", ""), _parts(card, weights_digest))]),
    ]
    blocks = [f"# {about.get('title', f'Model {card.name}')}"]
    for title, content in sections:
        filled = [block.strip() for block in content if block.strip()]
        if filled:
            blocks += [f"## {title}", *filled] if title else filled
    return "\n\n".join(blocks) + "\n"


def _parts(card: ModelCard, weights_digest: str) -> Iterator[tuple[str, str]]:
    yield "base", card.base
    if card.base_licence:
        yield "licence of the base", card.base_licence
    yield "sha256 of the base", f"`{card.base_sha256}`"
    yield "sha256 of the weights", f"`{weights_digest}`"
    yield "tag scheme, prompt version", f"{card.scheme}, {card.prompt_version}"
    yield "label sets", ", ".join(card.label_sets)
    if card.default_label_sets:
        yield "used, where none is named, with", ", ".join(card.default_label_sets)
    yield "tags", ", ".join(card.tags)
    yield "characters with rows of their own", str(len(card.characters))


def _scores(card: ModelCard) -> Iterator[str]:
    yield _table(("measured", "value"), _pairs(card.metrics))
    if card.thresholds:
        yield "The selector accepts a candidate from the threshold on; logits of opening tags are raised by the bias."
        yield _table(("label set", "threshold", "opening bias"), _decisions(card))
    if card.type_thresholds or card.common_threshold:
        yield (
            "The selector accepts a candidate from its type's threshold on, "
            f"{card.common_threshold:.3f} for types that are not named here."
        )
        if card.type_thresholds:
            yield _table(("tag", "threshold"), _type_thresholds(card.type_thresholds))
        yield "Logits of opening tags are raised by a bias."
        yield _table(("label set", "opening bias"), ((name, f"{one:+.2f}") for name, one in card.open_bias.items()))
        if any(name.startswith(other_label_sets("")) for name in card.open_bias):
            yield "`*` is every label set for a language that the model was not trained for."


def _type_thresholds(thresholds: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """By tag, and one line for all free tags, which have one threshold."""
    own = {tag: one for tag, one in thresholds.items() if not is_free(tag)}
    for tag, one in sorted(own.items()):
        yield tag, f"{one:.3f}"
    if free := {one for tag, one in thresholds.items() if is_free(tag)}:
        yield "types that it was not trained for", ", ".join(f"{one:.3f}" for one in sorted(free))


def _decisions(card: ModelCard) -> Iterator[tuple[str, str, str]]:
    for name, threshold in card.thresholds.items():
        yield name, f"{threshold:.3f}", f"{card.open_bias.get(name, 0.0):+.2f}"


def _pairs(values: Mapping[str, Any], *, above: str = "") -> Iterator[tuple[str, str]]:
    """Names and values, those of nested tables under `outer: inner`."""
    for name, value in values.items():
        full = f"{above}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _pairs(value, above=f"{full}: ")
        else:
            yield full, _shown(name, value)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if name == "commit" or name.endswith("command"):
        return f"`{value}`"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _data_table(data: Sequence[Mapping[str, Any]]) -> str:
    shown = {key: words for key, words in _DATA_COLUMNS.items() if any(key in one for one in data)}
    return _table(tuple(shown.values()), (tuple(str(one.get(key, "")) for key in shown) for one in data))


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A Markdown table, or nothing when it has no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
