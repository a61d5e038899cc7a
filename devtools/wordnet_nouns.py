"""The nouns of WordNet: which meanings there are, what is a kind of what, and the usual meaning of a word.

Reads the files `data.noun`, `index.noun` and their sisters of WordNet 3.0 (https://wordnet.princeton.edu, WordNet
licence; Debian's package wordnet-base has them in /usr/share/wordnet). Their form is wndb(5WN).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bioner_core.errors import InputError, cause_of

_WORD = re.compile(r"[a-z]{4,}(?:[ -][a-z]+)*|[a-z]+(?:[ -][a-z]+)+")
"""Words that are looked for: no capitals, digits or abbreviations, whose meaning here is seldom WordNet's."""

MOST_MEANINGS = 6
"""Words of more meanings as a noun are left out: which of them a text means is not told."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A meaning (a "synset"): its words, the meanings that it is a kind of, by their keys, and what it is."""

    words: tuple[str, ...]
    kinds_of: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Nouns:
    """All meanings by key, and for each word the key of the meaning that it most often has."""

    meanings: dict[str, Meaning]
    usual: dict[str, str]

    @cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        return {}

    def above(self, key: str) -> frozenset[str]:
        """The keys of all meanings that this one is a kind of, itself among them."""
        if key not in self._above:
            parents = self.meanings[key].kinds_of
            self._above[key] = frozenset({key}).union(*(self.above(one) for one in parents))
        return self._above[key]

    def depth(self, key: str) -> int:
        """How many steps a meaning is below the most general one, on the shortest way."""
        parents = self.meanings[key].kinds_of
        return 1 + min(self.depth(one) for one in parents) if parents else 0

    def key_of(self, *words: str) -> str:
        """The key of the meaning that has all these words.

        Raises:
            InputError: there is none, or more than one.
        """
        found = [key for key, one in self.meanings.items() if set(words) <= set(one.words)]
        if len(found) != 1:
            raise InputError(f"WordNet: {len(found)} meanings have the words {list(words)}, expected one")
        return found[0]


def read_nouns(folder: Path) -> Nouns:
    """Read WordNet's nouns.

    A word that is as much a verb, adjective or adverb ("found", "mean"), by how many of its meanings are counted in
    texts, has no usual meaning here.

    Raises:
        InputError: a file is missing or is not WordNet's.
    """
    meanings = dict(_meanings(folder / "data.noun"))
    nouns = _index(folder / "index.noun")
    others = [_index(folder / f"index.{one}") for one in ("verb", "adj", "adv")]
    usual = {
        word: keys[0]
        for word, (keys, tagged) in nouns.items()
        if _WORD.fullmatch(word)
        and len(keys) <= MOST_MEANINGS
        and word in meanings[keys[0]].words
        and all(word not in other or other[word][1] < max(tagged, 1) for other in others)
    }
    return Nouns(meanings, usual)


def _meanings(path: Path) -> Iterator[tuple[str, Meaning]]:
    for fields, text in _lines(path):
        count = int(fields[3], 16)
        words = tuple(one.replace("_", " ") for one in fields[4 : 4 + 2 * count : 2])
        relations = fields[5 + 2 * count :]
        kinds_of = tuple(
            target for symbol, target in zip(relations[::4], relations[1::4], strict=False) if symbol in ("@", "@i")
        )
        yield fields[0], Meaning(words, kinds_of, text)


def _index(path: Path) -> dict[str, tuple[list[str], int]]:
    """For each word the keys of its meanings, the most frequent first, and how many of them are counted in texts."""
    found = {}
    for fields, _ in _lines(path):
        behind_relations = 4 + int(fields[3])
        found[fields[0].replace("_", " ")] = (fields[behind_relations + 2 :], int(fields[behind_relations + 1]))
    return found


def _lines(path: Path) -> Iterator[tuple[list[str], str]]:
    """The lines behind the licence: their fields, and the text behind the bar."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("  "):
                    fields, _, text = line.partition(" | ")
                    yield fields.split(), text.strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"WordNet's {path}: {cause_of(error)}") from error
