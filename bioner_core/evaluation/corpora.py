"""Gold corpora as evaluation and training read them: in bioner's own form, or in any form that is imported."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.gold.forms import read_gold
from bioner_core.gold.record import GoldRecord

__all__ = ["GoldRecord", "read_corpus", "with_types"]


def read_corpus(path: str | Path) -> Iterator[GoldRecord]:
    """The records of a gold corpus in file order; form and gzip are told by the content.

    Bioner's own form is JSON lines: `{"id", "lang", "text", "entities": [{"start", "end", "type"}]}`. The others are
    those of `bioner_core.gold.forms`: brat, BioC, PubTator, CoNLL, Label Studio, doccano, and bioner's exports.

    Raises:
        InputError: the file cannot be read, breaks its form, or has an entity that does not fit its text; the message
            names the file and the line, counted from 1.
    """
    yield from read_gold(Path(path))


def with_types(records: Iterable[GoldRecord], new_names: Mapping[str, str]) -> list[GoldRecord]:
    """The records with types of other names: each type in `new_names` becomes the one there; doubles are one span.

    Raises:
        ConfigurationError: no record has a type that is to be renamed.
    """
    known = list(records)
    missing = sorted(set(new_names) - {span.type for record in known for span in record.spans})
    if missing:
        raise ConfigurationError(f"map: the data marks no {missing}; it is the data's own name that stands first")
    return [_renamed(record, new_names) for record in known]


def _renamed(record: GoldRecord, new_names: Mapping[str, str]) -> GoldRecord:
    spans = {span: replace(span, type=new_names.get(span.type, span.type)) for span in record.spans}
    concepts = {spans[span]: concept for span, concept in record.concepts.items()}
    return replace(record, spans=frozenset(spans.values()), concepts=concepts)
