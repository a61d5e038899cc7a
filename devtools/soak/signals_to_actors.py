"""What the soak and its actors tell each other, by files: an actor signs in when it starts, and takes orders.

An order is taken by renaming it, so exactly one actor obeys it.
"""

import os
import secrets
from enum import StrEnum
from pathlib import Path


class Order(StrEnum):
    """What an actor is told to do in its next batch."""

    DIE = "die"
    SLEEP = "sleep"
    HOLD = "hold"
    SAY_FULL = "say-full"
    ALLOCATE = "allocate"


def give_order(folder: Path, order: Order) -> Path:
    """Leave an order for whichever actor comes first; the path exists until it is taken."""
    orders = folder / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    path = orders / f"{order}.{secrets.token_hex(4)}"
    path.touch()
    return path


def take_order(folder: Path) -> Order | None:
    """Take the oldest order by name, if there is one that no other actor takes first."""
    orders = folder / "orders"
    for path in sorted(orders.iterdir()) if orders.is_dir() else ():
        taken = folder / "taken" / f"{path.name}.{os.getpid()}"
        taken.parent.mkdir(exist_ok=True)
        try:
            path.rename(taken)
        except FileNotFoundError:  # another actor was quicker
            continue
        return Order(path.name.partition(".")[0])
    return None


def sign_in(folder: Path, feeder: int) -> None:
    """Note that this process is an actor of the feeder of that number."""
    book = folder / "actors"
    book.mkdir(parents=True, exist_ok=True)
    (book / f"{feeder}-{os.getpid()}").touch()


def signed_in(folder: Path) -> list[tuple[int, int]]:
    """Every actor that ever signed in: the number of its feeder, and its process id."""
    book = folder / "actors"
    names = [path.name.split("-") for path in book.iterdir()] if book.is_dir() else []
    return sorted((int(feeder), int(pid)) for feeder, pid in names)
