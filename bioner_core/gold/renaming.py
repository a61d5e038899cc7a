"""Types of a corpus under other names, such as those of the label set that it is scored with."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from bioner_core.errors import ConfigurationError
from bioner_core.gold.record import GoldRecord


def with_types(records: Iterable[GoldRecord], new_names: Mapping[str, str]) -> list[GoldRecord]:
    """The records with types of other names: each type in `new_names` becomes the one there; doubles are one span.

    Raises:
        ConfigurationError: no record has a type that is to be renamed.
    """
    known = list(records)
    check_found(new_names, {span.type for record in known for span in record.spans})
    return [renamed(record, new_names) for record in known]


def renamed(record: GoldRecord, new_names: Mapping[str, str]) -> GoldRecord:
    """The record with the new names; types that are not in `new_names` keep theirs."""
    spans = {span: replace(span, type=new_names.get(span.type, span.type)) for span in record.spans}
    concepts = {spans[span]: concept for span, concept in record.concepts.items()}
    return replace(record, spans=frozenset(spans.values()), concepts=concepts)


def check_found(new_names: Mapping[str, str], found: Set[str]) -> None:
    """Refuse new names for types that the data does not have.

    Raises:
        ConfigurationError: a type in `new_names` is not among those that were found.
    """
    if missing := sorted(set(new_names) - found):
        raise ConfigurationError(
            f"--map: the data has no type {', '.join(map(repr, missing))}. "
            "Write OLD=NEW, with the data's own name first"
        )
