"""Invented abstracts with invented entities, some of them nested, as a model could have found them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bioner_core.mentions import Mention
from bioner_core.store.mention_ids import place_suffix
from bioner_core.store.rows import mentions_to_arrow

LABEL_SET = "invented"
_TYPES = ("disease", "drug", "body", "procedure", "protein", "cell_type", "dna", "microorganism")
_SYLLABLES = ("ka", "ro", "mi", "ten", "plo", "xa", "vir", "sul", "ne", "dor")
_FILLERS = ("cells", "patients", "binding", "levels", "after", "during", "with", "reduced", "observed", "in")
_ENTITIES = 4_000
_FILLERS_BETWEEN = 5
_MENTIONS_PER_SENTENCE = 4
_NESTED_SHARE = 0.2
_ACCEPTED_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Abstract:
    """A text and its mentions in the declared schema; `mention_id` and `parent_id` lack the document at their front."""

    text: str
    sentences: int
    mentions: pa.Table


def invented_abstracts(number: int, *, mentions: int, randomness: np.random.Generator) -> list[Abstract]:
    """So many different abstracts with so many mention candidates each."""
    return [_Abstract(randomness).made(mentions) for _ in range(number)]


class _Abstract:
    def __init__(self, randomness: np.random.Generator) -> None:
        self._randomness = randomness
        self._text = ""
        self._sentence = 0
        self._mentions: list[Mention] = []

    def made(self, mentions: int) -> Abstract:
        while len(self._mentions) < mentions:
            self._add_slot(room=mentions - len(self._mentions))
            if len(self._mentions) >= _MENTIONS_PER_SENTENCE * (self._sentence + 1):
                self._text += ". "
                self._sentence += 1
        return Abstract(self._text, self._sentence + 1, mentions_to_arrow(self._mentions))

    def _add_slot(self, *, room: int) -> None:
        """An entity, perhaps with another one inside, and the words that follow it."""
        outer, inner = self._entity(), self._entity()
        nested = room > 1 and self._randomness.random() < _NESTED_SHARE
        start = len(self._text)
        self._text += f"{inner} {outer}" if nested else outer
        parent = self._add(outer, start, len(self._text), accepted=nested or self._is_accepted())
        if nested:
            self._add(inner, start, start + len(inner), accepted=self._is_accepted(), parent=parent)
        words = self._randomness.choice(_FILLERS, _FILLERS_BETWEEN)
        self._text += f" {' '.join(words)} "

    def _add(self, entity: str, start: int, end: int, *, accepted: bool, parent: Mention | None = None) -> Mention:
        kind = _TYPES[sum(map(ord, entity)) % len(_TYPES)]
        mention = Mention(
            mention_id=place_suffix(0, start=start, end=end, label_set=LABEL_SET, type_name=kind),
            doc_id="",
            doc_version=1,
            passage_index=0,
            section="abstract",
            lang="en",
            sentence_index=self._sentence,
            start=start,
            end=end,
            text=self._text[start:end],
            label_set=LABEL_SET,
            type=kind,
            parent_id=parent.mention_id if parent else None,
            depth=1 if parent else 0,
            tag_score=float(self._randomness.normal(4, 2)),
            selector_score=float(self._randomness.uniform(0.5, 1) if accepted else self._randomness.uniform(0, 0.5)),
            accepted=accepted,
        )
        self._mentions.append(mention)
        return mention

    def _is_accepted(self) -> bool:
        return bool(self._randomness.random() < _ACCEPTED_SHARE)

    def _entity(self) -> str:
        """A name; some are much more common than others, as in real texts."""
        rank = min(int(self._randomness.zipf(1.3)), _ENTITIES)
        return "".join(_SYLLABLES[int(digit)] for digit in str(rank))
