"""A vocabulary of what a gold corpus calls its concepts: aliases, each as sure as it is common."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bioner_core.concepts.concept import Concept, Synonym
from bioner_core.concepts.gold_ids import gold_curies
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.errors import InputError


def read_gold_aliases(path: Path, prefix: str) -> Iterator[Concept]:
    """One concept an id of the corpus (JSON lines with `concept` in the entities), named by its mentions.

    The weight of a name is the share of its mentions that mean the concept. `prefix` is for ids that say none and whose
    kind cannot be told.

    Raises:
        InputError: a line is no such record; the message names file and line.
    """
    meant: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for number, line in text_lines(path):
        try:
            entities = json.loads(line)["entities"]
            for one in entities:
                kind, text = one["type"], one["text"]
                if not (isinstance(kind, str) and isinstance(text, str)):
                    raise TypeError("type and text must be strings")
                for curie in gold_curies(one.get("concept", ""), kind, prefix=prefix):
                    meant[kind, text][curie] += 1
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: is no record of a gold corpus ({error!r})") from error
    yield from _concepts(meant)


def _concepts(meant: dict[tuple[str, str], Counter[str]]) -> Iterator[Concept]:
    names: dict[tuple[str, str], list[tuple[int, Synonym]]] = defaultdict(list)
    for (kind, text), counts in meant.items():
        for curie, count in counts.items():
            names[curie, kind].append((count, Synonym(text, count / counts.total())))
    for (curie, kind), found in sorted(names.items()):
        yield _concept(curie, kind, sorted(found, key=lambda one: (-one[0], one[1].name)))


def _concept(curie: str, kind: str, found: Sequence[tuple[int, Synonym]]) -> Concept:
    # the commonest mention is the name, and is as sure as it is common: so it stands among the synonyms too
    return Concept(curie, found[0][1].name, kind, tuple(one for _, one in found))
