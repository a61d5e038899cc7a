"""Records of a store: whole, damaged, or of a newer bioner.

What a newer one wrote is never taken for damage: damage is made anew, and so the older program would overwrite it.
"""

from typing import Any, TypeVar

import bioner_core
from bioner_core.errors import StoreError
from bioner_core.typed_json import UnknownNamesError, has_checksum, typed, without_checksum

Record = TypeVar("Record")


def stored_record(kind: type[Record], flat: Any, *, where: str) -> Record:
    """The record of a type that a JSON value of the store holds, with its checksum if it has one.

    Raises:
        ValueError, StoreError: as `record_of`.
    """
    return record_of(kind, without_checksum(flat), is_whole=has_checksum(flat), where=where)


def record_of(kind: type[Record], flat: Any, *, is_whole: bool, where: str) -> Record:
    """The record of a type that a JSON value holds; one of an older bioner may lack what has a default.

    `is_whole` says that a checksum has proved the value to be what was written.

    Raises:
        ValueError: it is damaged.
        StoreError: it is whole, and has names that are not known here: a newer bioner wrote it.
    """
    try:
        return typed(kind, flat)
    except UnknownNamesError as error:
        if not is_whole:
            raise
        raise StoreError(
            f"{where}: was written by a newer bioner than {bioner_core.__version__} ({error}). Upgrade bioner, or use "
            "another store"
        ) from error
