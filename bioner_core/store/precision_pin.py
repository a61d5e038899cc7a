"""The precision that a store's candidates are computed in: fixed by its first run, so that no later one mixes two."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bioner_core.errors import DamagedFileError
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.typed_json import loaded_json, typed, with_checksum, without_checksum


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
    """
    path = store.precision
    try:
        return typed(PrecisionPin, without_checksum(loaded_json(path.read_text(encoding="utf-8"))))
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
