"""Mark texts by word lists, so that a model learns to read more definitions than gold corpora have types.

    python -m devtools.silver_corpus bioner_core/training/word_lists/care.toml runs/silver/care.jsonl \\
        ../shared/data/genia/train.jsonl.gz:4000 ../shared/data/bc5cdr/train.jsonl.gz:400

A list is a label set whose types have `words` (separated by commas) and `patterns` (regular expressions) besides; their
case does not matter. Of each corpus the texts of its first records are taken, their own entities are not. Words stand
alone, with or without a plural s, but in Chinese, which has no spaces. Of marks of one type that overlap the first and
longest stays; one that crosses a mark of an earlier type, or covers its text, is left out; one inside another nests.

What a list leaves unmarked is taken as not of the type, though it may be: silver is for learning what a definition asks
for, not for knowing a type, and no figure of quality comes from it.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bioner_core.errors import EXIT_FAILED, BionerError, ConfigurationError
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.gold.lines import write_lines
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import Span
from jobs.terminal.console import say_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the corpus; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", type=Path, help="label set with the words and patterns of each type")
    parser.add_argument("output", type=Path, help="file that is written, JSON lines")
    parser.add_argument("corpora", nargs="+", metavar="FILE:COUNT", help="texts: a gold corpus, and how many records")
    given = parser.parse_args(arguments)
    try:
        write_silver(given.words, given.output, corpora=[corpus_part(one) for one in given.corpora])
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    return 0


def write_silver(words: Path, output: Path, *, corpora: Sequence[tuple[Path, int]]) -> None:
    """Write the first records of each corpus with the marks of a word list.

    Raises:
        ConfigurationError: the list is no label set, or a type has neither words nor patterns that can be read.
        InputError: a corpus cannot be read.
        StoreError: the file cannot be written.
    """
    patterns = read_word_patterns(words)
    texts = (record for corpus, count in corpora for record in islice(read_corpus(corpus), count))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_lines((replace(one, spans=frozenset(marks(one.text, patterns)), concepts={}) for one in texts), output)


def read_word_patterns(words: Path) -> dict[str, re.Pattern[str]]:
    """What marks each type of a word list, by the type's name, in order.

    Raises:
        ConfigurationError: the list is no label set, or a type has neither words nor patterns that can be read.
    """
    types = load_label_set(str(words)).types
    tables = tomllib.loads(words.read_text(encoding="utf-8"))["types"]
    return {one.name: _pattern(one.name, table) for one, table in zip(types, tables, strict=True)}


def marks(text: str, patterns: dict[str, re.Pattern[str]]) -> list[Span]:
    """The marks of a text, offsets in code points, by start and then from outer to inner."""
    found: list[Span] = []
    for name, pattern in patterns.items():
        for match in pattern.finditer(text):
            one = Span(match.start(), match.end(), name)
            if one.start < one.end and not any(_clashes(one, other) for other in found):
                found.append(one)
    return sorted(found, key=lambda one: (one.start, -one.end))


def _clashes(one: Span, other: Span) -> bool:
    if (one.start, one.end) == (other.start, other.end):
        return True
    apart = one.end <= other.start or other.end <= one.start
    inside = one.start >= other.start and one.end <= other.end
    around = other.start >= one.start and other.end <= one.end
    return not (apart or inside or around)


def _pattern(name: str, table: dict[str, object]) -> re.Pattern[str]:
    words = [one.strip() for one in str(table.get("words", "")).split(",") if one.strip()]
    ready = table.get("patterns", [])
    if not isinstance(ready, list) or not (words or ready):
        raise ConfigurationError(
            f"type {name!r} has neither words nor patterns: give a text of words, or a list of patterns"
        )
    # Longest first: an alternation takes the first that fits.
    parts = [str(one) for one in ready] + [_word(one) for one in sorted(words, key=len, reverse=True)]
    try:
        return re.compile("|".join(f"(?:{one})" for one in parts), re.IGNORECASE)
    except re.error as error:
        raise ConfigurationError(f"type {name!r}: its patterns are no regular expressions: {error}") from error


def _word(word: str) -> str:
    return rf"\b{re.escape(word)}s?\b" if word.isascii() else re.escape(word)


def corpus_part(words: str) -> tuple[Path, int]:
    """A corpus and how many of its records, from `FILE:COUNT`.

    Raises:
        ConfigurationError: it is not of this form.
    """
    file, _, count = words.rpartition(":")
    if not file or not count.isdigit():
        raise ConfigurationError(f"{words!r}: give a corpus and how many of its records, as FILE:COUNT")
    return Path(file), int(count)


if __name__ == "__main__":
    sys.exit(main())
