"""What a store says of the models that wrote it: what their fingerprints stand for, and the precision of all of them.

A note, `STORE/models/<fingerprint>.json`, is only for people: one that is lost or damaged is no fault of the store, and
is made again by the next run. The precision is fixed by the store's first run, so that no later one mixes two.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bioner_core.errors import ConfigurationError, DamagedFileError
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.stored_record import stored_record
from bioner_core.typed_json import loaded_json, typed, with_checksum, without_checksum

_SHOWN = 16
"""Digits of a fingerprint that people are shown."""


def note_model(store: Store, fingerprint: str, *, words: Mapping[str, str]) -> None:
    """Note what a fingerprint stands for, unless that is noted.

    Raises:
        StoreError: the store cannot be written.
    """
    if model_words(store, fingerprint) != dict(words):
        write_text(store.model_note(fingerprint), json.dumps(with_checksum(dict(words)), ensure_ascii=False) + "\n")


def model_words(store: Store, fingerprint: str) -> dict[str, str]:
    """What a fingerprint stands for; empty where nobody noted it."""
    try:
        return _words(store.model_note(fingerprint))
    except (OSError, ValueError):
        return {}


def damaged_notes(store: Store) -> Iterator[str]:
    """The notes that cannot be read, in words."""
    for path in sorted_paths(store.models.glob("[!.]*.json")):
        try:
            _words(path)
        except (OSError, ValueError) as error:
            yield f"{path}: is damaged ({error}). Remove it; the next run with that model makes it anew"


def _words(path: StorePath) -> dict[str, str]:
    return typed(dict[str, str], without_checksum(loaded_json(path.read_text(encoding="utf-8"))))


def model_in_words(store: Store, fingerprint: str) -> str:
    """A fingerprint as people are shown it: its first digits, and what it stands for where that is noted."""
    words = ", ".join(f"{key} {value}" for key, value in model_words(store, fingerprint).items())
    return f"{fingerprint[:_SHOWN]} ({words})" if words else fingerprint[:_SHOWN]


def mixed_models(store: Store, documents: Mapping[str, int]) -> str:
    """That a state was made by several models, in words, with how many documents each of them made."""
    shares = "; ".join(f"{count} by {model_in_words(store, one)}" for one, count in documents.items())
    return f"the newest documents were annotated by {spoken_count(len(documents), 'model')}: {shares}"


def chosen_fingerprint(store: Store, wanted: str, *, known: Collection[str]) -> str:
    """The fingerprint that `--model` names: by its first digits, or by the name of its model where only one has it.

    Raises:
        ConfigurationError: none or several of `known` are meant; the message lists them.
    """
    by_digits = [one for one in known if wanted and one.startswith(wanted)]
    found = by_digits or [one for one in known if model_words(store, one).get("model") == wanted]
    if len(found) != 1:
        listed = "; ".join(model_in_words(store, one) for one in sorted(known)) or "none"
        said = "names several models" if found else "names no model"
        raise ConfigurationError(f"--model: {wanted!r} {said} of this store; there are: {listed}")
    return found[0]


@dataclass(frozen=True, slots=True)
class PrecisionPin:
    """A precision, why it was taken, on which processor, and since when (ISO 8601, UTC)."""

    precision: str
    reason: str = ""
    processor: str = ""
    since: str = ""


def read_pin(store: Store) -> PrecisionPin | None:
    """The precision that the store is pinned to; None before its first run with a model.

    Raises:
        DamagedFileError: the file is damaged or cannot be read.
        StoreError: a newer bioner wrote it.
    """
    path = store.precision
    try:
        return stored_record(PrecisionPin, loaded_json(path.read_text(encoding="utf-8")), where=str(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: cannot be read ({error!r}). Remove it and name the store's --precision at the next run"
        ) from error


def write_pin(store: Store, *, precision: str, reason: str, processor: str) -> None:
    """Pin the store to a precision, in place of the one that it had.

    Raises:
        StoreError: the store cannot be written.
    """
    pin = PrecisionPin(precision, reason, processor, datetime.now(UTC).isoformat(timespec="seconds"))
    write_text(store.precision, json.dumps(with_checksum(asdict(pin))) + "\n")
