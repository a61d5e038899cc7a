"""The precision that a store's candidates are computed in: fixed by its first run, so that no later one mixes two."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bioner_core.errors import StoreError
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store


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
        StoreError: the file is damaged or cannot be read.
    """
    path = store.precision
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return PrecisionPin(**{name: str(value) for name, value in found.items()})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path}: cannot be read ({error!r}). Remove it and name the store's --precision at the next run"
        ) from error


def write_pin(store: Store, *, precision: str, reason: str, processor: str) -> None:
    """Pin the store to a precision, in place of the one that it had.

    Raises:
        StoreError: the store cannot be written.
    """
    pin = PrecisionPin(precision, reason, processor, datetime.now(UTC).isoformat(timespec="seconds"))
    write_text(store.precision, json.dumps(asdict(pin)) + "\n")
