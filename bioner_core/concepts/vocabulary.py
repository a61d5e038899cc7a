"""An opened vocabulary: which concepts a name may mean."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from bioner_core.concepts.index import VocabularyPage, read_page, read_tables
from bioner_core.concepts.name_keys import name_keys

_FACTS = ("concept_id", "name", "type", "taxon")


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that a name may mean.

    `kind` says how the name was found (`name_keys.EXACT`, `WORDS`, `BROAD`); `weight` how surely the concept has it.
    """

    concept_id: str
    name: str
    type: str
    taxon: str
    kind: int
    weight: float


class Vocabulary:
    """A vocabulary in memory; made by `open_vocabulary`. Lookups take microseconds and change nothing."""

    def __init__(self, page: VocabularyPage, concepts: pa.Table, keys: pa.Table) -> None:
        self.page = page
        self._concepts = concepts.combine_chunks()
        self._types: list[str] = self._concepts.column("type").to_pylist()
        self._keys: list[str] = keys.column("key").to_pylist()
        self._kinds, self._weights, self._places = (
            keys.column(name).to_numpy() for name in ("kind", "weight", "concept")
        )

    def matches(self, name: str, *, fits: Callable[[str], bool] = lambda _: True) -> tuple[Match, ...]:
        """The concepts that a name may mean, found by the surest kind of key that finds any; the surest first.

        `fits` says of a concept's type whether it counts.
        """
        for kind, key in enumerate(name_keys(name)):
            found = [row for row in self._rows(key) if fits(self._types[self._places[row]])]
            if found:
                return self._ranked(kind, found)
        return ()

    def name_of(self, concept_id: str) -> str | None:
        """The preferred name of a concept, None where the vocabulary has no such one."""
        row = bisect_left(self._ids, concept_id)
        if row == len(self._ids) or self._ids[row] != concept_id:
            return None
        return str(self._concepts.column("name")[row].as_py())

    @cached_property
    def _ids(self) -> list[str]:
        return list(self._concepts.column("concept_id").to_pylist())

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all concepts, with those that they replace."""
        replaced = self._concepts.column("replaces").combine_chunks().flatten().to_pylist()
        return frozenset(self._ids) | frozenset(replaced)

    @cached_property
    def replaced(self) -> dict[str, str]:
        """The id that stands for each old one."""
        pairs = zip(
            self._concepts.column("concept_id").to_pylist(), self._concepts.column("replaces").to_pylist(), strict=True
        )
        return {old: new for new, olds in pairs for old in olds}

    def _ranked(self, kind: int, rows: Sequence[int]) -> tuple[Match, ...]:
        surest = min(int(self._kinds[row]) for row in rows)
        found = [self._match(row, max(kind, surest)) for row in rows if self._kinds[row] == surest]
        return tuple(sorted(found, key=lambda one: (-one.weight, one.concept_id)))

    def _match(self, row: int, kind: int) -> Match:
        place = int(self._places[row])
        concept_id, name, type_name, taxon = (self._concepts.column(one)[place].as_py() for one in _FACTS)
        return Match(concept_id, name, type_name, taxon, kind, round(float(self._weights[row]), 4))

    def _rows(self, key: str) -> range:
        first = bisect_left(self._keys, key)  # UTF-8 sorts as Python sorts code points
        last = first
        while last < len(self._keys) and self._keys[last] == key:
            last += 1
        return range(first, last)


def open_vocabulary(folder: Path) -> Vocabulary:
    """Open the vocabulary in a folder.

    Raises:
        ConfigurationError: it is missing, damaged, or made by another version of bioner.
    """
    page = read_page(folder)
    return Vocabulary(page, *read_tables(folder, page))
