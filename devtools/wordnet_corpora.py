"""Mark texts with kinds of things of WordNet, so that a model meets hundreds of definitions in training.

    python -m devtools.wordnet_corpora /usr/share/wordnet runs/wordnet \\
        ../shared/data/genia/train.jsonl.gz:4000 ../shared/data/bc5cdr/train.jsonl.gz:400

A type is a meaning of WordNet of which the texts have several kinds often enough: its definition is WordNet's, or names
some of its kinds; what marks it are the words whose usual meaning is a kind of it. Types that share no word stand
together in a label set, of which there are `--sets`. Each gets a word list, as `devtools.silver_corpus` reads it, and a
corpus of single sentences in which each of its types is marked. The types of all sets have the same eight tags: tags
that mean nothing, so that only the definition tells what to mark.

Processes, reactions and parts of cells are left out: types of these kinds, which no corpus of training has, judge in
evaluation how well unknown types are found. As with all silver, what stays unmarked may be of the type.
"""

import argparse
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import tomli_w

from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.evaluation.corpora import GoldRecord, read_corpus, record_sentences
from bioner_core.gold.lines import write_lines
from devtools.silver_corpus import corpus_part, marks, read_word_patterns
from devtools.wordnet_nouns import Meaning, Nouns, read_nouns
from jobs.terminal.console import say_error

TYPES_PER_SET = 8
SENTENCES_PER_TYPE = 40
MOST_SHARED = 0.6
"""A type of whose occurrences so many are those of a chosen type is not chosen: it would ask for the same again."""

FEWEST_WORDS, FEWEST_FOUND, MOST_FOUND = 6, 80, 6000
"""A type has so many different words in the texts, and so many occurrences of them all."""

MOST_OF_ONE_WORD = 0.6
"""No word is more of a type's occurrences: the type would be that word."""

LEAST_DEPTH = 3
"""Meanings above are too general to be asked for ("abstraction")."""

_LONGEST = 3
"""Words of a term at most."""

_LEFT_OUT = (("process", "physical process"), ("cell organelle", "organelle"), ("chemical reaction", "reaction"))


@dataclass(frozen=True, slots=True)
class WordType:
    """A type: its meaning, and how often each word that marks it stands in the texts."""

    meaning: Meaning
    found: Mapping[str, int]

    @property
    def name(self) -> str:
        """The first word of its meaning, in small letters."""
        return self.meaning.words[0].lower()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write lists and corpora; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wordnet", type=Path, help="folder with data.noun and index.noun of WordNet 3.0")
    parser.add_argument("output", type=Path, help="folder of the lists and corpora")
    parser.add_argument("corpora", nargs="+", metavar="FILE:COUNT", help="texts: a gold corpus, and how many records")
    parser.add_argument("--sets", type=int, default=25, help="label sets, of eight types each")
    parser.add_argument("--seed", type=int, default=3, help="of the choice of types and sentences")
    given = parser.parse_args(arguments)
    try:
        sentences = [one for part in given.corpora for one in read_sentences(*corpus_part(part))]
        nouns = read_nouns(given.wordnet)
        made = write_corpora(sentences, nouns, output=given.output, sets=given.sets, seed=given.seed)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    fewer = f"; {given.sets} were asked for, and the texts have no more types" if made < given.sets else ""
    print(f"{given.output}: label sets of {TYPES_PER_SET} types: {made}{fewer}")
    return 0


def read_sentences(corpus: Path, count: int) -> list[GoldRecord]:
    """The sentences of the first records of a corpus, each as a record without spans."""
    return [
        GoldRecord(record_id=f"{record.record_id}/{number}", lang=record.lang, text=one.text, spans=frozenset())
        for record in islice(read_corpus(corpus), count)
        for number, one in enumerate(record_sentences(record))
    ]


def write_corpora(sentences: Sequence[GoldRecord], nouns: Nouns, *, output: Path, sets: int, seed: int) -> int:
    """Choose types, group them, and write for each group `NN.toml` and `NN.jsonl`, numbered from 01; how many.

    Raises:
        InputError: WordNet lacks a meaning whose kinds are to be left out.
        StoreError: a corpus cannot be written.
    """
    chooser = random.Random(seed)  # noqa: S311 - sampling, not secrecy
    groups = grouped(chosen_types(found_types(sentences, nouns), chooser), sets=sets)
    output.mkdir(parents=True, exist_ok=True)
    for number, group in enumerate(groups, start=1):
        words = output / f"{number:02}.toml"
        words.write_text(tomli_w.dumps(word_list(f"wordnet_{number:02}", group, chooser=chooser)), encoding="utf-8")
        write_lines(_marked(sentences, words, group, chooser), words.with_suffix(".jsonl"))
    return len(groups)


def found_types(sentences: Iterable[GoldRecord], nouns: Nouns) -> list[WordType]:
    """Every meaning whose kinds stand in the texts often and variously enough, but for what is left out."""
    counts = _term_counts((one.text for one in sentences), nouns.usual)
    left_out = {nouns.key_of(*words) for words in _LEFT_OUT}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for word, count in counts.items():
        for key in nouns.above(nouns.usual[word]):
            found[key][word] = count
    return [
        WordType(nouns.meanings[key], words)
        for key, words in sorted(found.items())
        if _is_fit(words) and nouns.depth(key) >= LEAST_DEPTH and left_out.isdisjoint(nouns.above(key))
    ]


def chosen_types(types: Sequence[WordType], chooser: random.Random) -> list[WordType]:
    """Types in random order, without those that ask for much the same as one before."""
    chosen: list[WordType] = []
    for one in chooser.sample(types, len(types)):
        if all(_shared(one.found, other.found) < MOST_SHARED for other in chosen):
            chosen.append(one)
    return chosen


def grouped(types: Iterable[WordType], *, sets: int) -> list[list[WordType]]:
    """Label sets of types that have no word in common; sets that are not full are left out."""
    groups: list[list[WordType]] = [[] for _ in range(sets)]
    for one in types:
        for group in groups:
            apart = all(other.name != one.name and other.found.keys().isdisjoint(one.found) for other in group)
            if len(group) < TYPES_PER_SET and apart:
                group.append(one)
                break
    return [group for group in groups if len(group) == TYPES_PER_SET]


def word_list(name: str, types: Sequence[WordType], *, chooser: random.Random) -> dict[str, object]:
    """A label set with words, as `silver_corpus` reads it."""
    return {
        "name": name,
        "languages": ["en"],
        "description": "Kinds of things of WordNet 3.0, marked by their words (devtools.wordnet_corpora).",
        "types": [
            {"tag": f"silver_any_{place}", **_described(one, chooser), "words": ", ".join(sorted(one.found))}
            for place, one in enumerate(types, start=1)
        ],
    }


def _described(one: WordType, chooser: random.Random) -> dict[str, object]:
    """Names and definitions: WordNet's own, and some that name kinds, as users write them."""
    name, other_names = one.name, [word.lower() for word in one.meaning.words[1:]]
    # Without examples and remarks in brackets.
    definition = re.sub(r"\s*\([^)]*\)\s*", " ", one.meaning.definition.partition(";")[0]).strip() or name
    frequent = sorted(one.found, key=lambda word: (-one.found[word], word))[:12]

    def kinds(count: int) -> list[str]:
        return [word for word in chooser.sample(frequent, min(count, len(frequent))) if word != name]

    return {
        "name": name,
        "en": name,
        "definition_en": definition,
        "other_names": other_names or [name],
        "other_definitions": [
            f"{name}: {', '.join(kinds(4))}",
            f"{', '.join(kinds(3))} and the like",
            f"{definition}, such as {' or '.join(kinds(2))}",
            f"any kind of {name}",
        ],
    }


def _marked(
    sentences: Sequence[GoldRecord], words: Path, types: Sequence[WordType], chooser: random.Random
) -> list[GoldRecord]:
    """Sentences in random order, until each type is marked in so many of them or there are no more."""
    patterns = read_word_patterns(words)
    missing = {one.name: SENTENCES_PER_TYPE for one in types}
    kept = []
    for one in chooser.sample(sentences, len(sentences)):
        lower = one.text.lower()
        wanted = (each for each in types if missing[each.name] > 0)
        # Ten times as fast as the patterns, which most sentences need not be searched with.
        if not any(word in lower for each in wanted for word in each.found):
            continue
        spans = marks(one.text, patterns)
        marked = {span.type for span in spans}
        if any(missing[name] > 0 for name in marked):
            kept.append(replace(one, spans=frozenset(spans)))
            for name in marked:
                missing[name] -= 1
    return kept


def _term_counts(texts: Iterable[str], known: Mapping[str, str]) -> Counter[str]:
    """How often each known term stands in the texts, in the singular or with an s."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())
        for size in range(1, _LONGEST + 1):
            for start in range(len(words) - size + 1):
                term = " ".join(words[start : start + size])
                counts.update({term, term.removesuffix("s")} & known.keys())
    return counts


def _is_fit(words: Mapping[str, int]) -> bool:
    total = sum(words.values())
    return (
        len(words) >= FEWEST_WORDS
        and FEWEST_FOUND <= total <= MOST_FOUND
        and max(words.values()) <= MOST_OF_ONE_WORD * total
    )


def _shared(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """The share of occurrences of either that both have."""
    both = sum(one[word] for word in one.keys() & other.keys())
    return both / (sum(one.values()) + sum(other.values()) - both)


if __name__ == "__main__":
    sys.exit(main())
