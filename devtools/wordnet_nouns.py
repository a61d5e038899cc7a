"""The nouns of WordNet: which meanings there are, what is a kind of what, and the usual meaning of a word.

Reads the files `data.noun`, `index.noun` and their sisters of WordNet 3.0 (https://wordnet.princeton.edu, WordNet
licence; Debian's package wordnet-base has them in /usr/share/wordnet). Their form is wndb(5WN).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bioner_core.errors import InputError, cause_of

Parsed = TypeVar("Parsed")

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


@dataclass(frozen=True, slots=True)
class Nouns:
    """All meanings by key, and for each word the key of the meaning that it most often has."""

    meanings: Mapping[str, Meaning]
    usual: Mapping[str, str]

    def above(self, key: str) -> frozenset[str]:
        """The keys of all meanings that this one is a kind of, itself among them."""
        found, rest = {key}, [key]
        while rest:
            fresh = [one for one in self.meanings[rest.pop()].kinds_of if one not in found]
            found.update(fresh)
            rest.extend(fresh)
        return frozenset(found)

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
        InputError: a file is missing or is not WordNet's; the message names it, and the line.
    """
    meanings = dict(_read(folder / "data.noun", _meaning))
    nouns = dict(_read(folder / "index.noun", _entry))
    others = [dict(_read(folder / f"index.{one}", _entry)) for one in ("verb", "adj", "adv")]
    _check_keys(folder, meanings, nouns)
    usual = {
        word: entry.keys[0]
        for word, entry in nouns.items()
        if _WORD.fullmatch(word)
        and len(entry.keys) <= MOST_MEANINGS
        and word in meanings[entry.keys[0]].words
        and all(word not in other or other[word].counted < max(entry.counted, 1) for other in others)
    }
    return Nouns(meanings, usual)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A word of an index: the keys of its meanings, the most frequent first, and how many are counted in texts."""

    keys: tuple[str, ...]
    counted: int


def _check_keys(folder: Path, meanings: Mapping[str, Meaning], nouns: Mapping[str, _Entry]) -> None:
    """Whether there is every meaning that another one or a word names: files of one edition name no others."""
    named = {key for one in meanings.values() for key in one.kinds_of}
    lacking = sorted(named.union(*(one.keys for one in nouns.values())) - meanings.keys())
    if lacking:
        raise InputError(f"WordNet's {folder / 'data.noun'}: has no meaning {lacking[0]}, which is named elsewhere")


def _meaning(fields: Sequence[str], text: str) -> tuple[str, Meaning]:
    """A line of `data.noun`: key, two fields, how many words (hexadecimal), the words, and how many relations of four.

    Behind each word stands a number, and a relation is a mark, the key of what it leads to, and two fields more.
    """
    behind_words = 4 + 2 * int(fields[3], 16)
    words = tuple(one.replace("_", " ") for one in fields[4:behind_words:2])
    relations = fields[behind_words + 1 :]
    if len(relations) != 4 * int(fields[behind_words]):
        raise ValueError(f"{fields[behind_words]} relations are told, and other than so many stand there")
    kinds_of = tuple(
        target for mark, target in zip(relations[::4], relations[1::4], strict=True) if mark in ("@", "@i")
    )
    return fields[0], Meaning(words, kinds_of, text)


def _entry(fields: Sequence[str], _: str) -> tuple[str, _Entry]:
    """A line of an index: word, two fields, how many marks of relations, the marks, two numbers, and the keys.

    The second of the two numbers is of meanings that are counted in texts.
    """
    behind_marks = 4 + int(fields[3])
    keys = tuple(fields[behind_marks + 2 :])
    if not keys:
        raise ValueError("it has no meaning")
    return fields[0].replace("_", " "), _Entry(keys, int(fields[behind_marks + 1]))


def _read(path: Path, parse: Callable[[Sequence[str], str], tuple[str, Parsed]]) -> Iterator[tuple[str, Parsed]]:
    """What the lines behind the licence say, each by its fields and the text behind the bar."""
    done = 0
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("  "):
                    fields, _, text = line.partition(" | ")
                    yield parse(fields.split(), text.strip())
                done += 1
    except (IndexError, ValueError) as error:
        raise InputError(f"WordNet's {path}: line {done + 1} is none of WordNet 3.0: {error}") from error
    except OSError as error:
        raise InputError(f"WordNet's {path}: {cause_of(error)}") from error
