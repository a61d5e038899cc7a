"""How right links are on gold mentions: accuracy over all with a concept, precision among the linked."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bioner_core.concepts.readers.gold_aliases import gold_curies
from bioner_core.document_pass.abbreviation_pairs import abbreviation_pairs
from bioner_core.documents import Passage
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.linking.linker import ConceptLink, Linker, NamedText
from bioner_core.mentions import Span


@dataclass(frozen=True, slots=True)
class LinkScore:
    """Counts of gold mentions that have a concept: how many, linked, linked rightly, and whose concept is known.

    A mention with several ids counts as right when one of them is found; only rank 1 counts, but `right_in_ranks` has
    those that are right at any rank. `known` are mentions with an id that the vocabularies have.
    """

    mentions: int = 0
    linked: int = 0
    right: int = 0
    right_in_ranks: int = 0
    known: int = 0

    def __add__(self, other: "LinkScore") -> "LinkScore":
        return LinkScore(
            self.mentions + other.mentions,
            self.linked + other.linked,
            self.right + other.right,
            self.right_in_ranks + other.right_in_ranks,
            self.known + other.known,
        )

    def to_json(self) -> dict[str, float | int]:
        """Counts and ratios: accuracy over all mentions, precision among linked ones, accuracy where known."""
        return {
            "accuracy": _ratio(self.right, self.mentions),
            "precision": _ratio(self.right, self.linked),
            "accuracy_any_rank": _ratio(self.right_in_ranks, self.mentions),
            "accuracy_of_known": _ratio(self.right, self.known),
            "mentions": self.mentions,
            "linked": self.linked,
            "right": self.right,
            "known": self.known,
        }


@dataclass(frozen=True, slots=True)
class LinkEvaluation:
    """Scores over all gold mentions with a concept, by their type and by method; and how fast they were linked."""

    overall: LinkScore
    by_type: dict[str, LinkScore]
    by_method: dict[str, LinkScore]
    seconds: float
    all_mentions: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object; no text of the corpus is in it."""
        return self.overall.to_json() | {
            "by_type": {name: one.to_json() for name, one in sorted(self.by_type.items())},
            "by_method": {name: one.to_json() for name, one in sorted(self.by_method.items())},
            "seconds": round(self.seconds, 3),
            "mentions_per_second": round(self.all_mentions / max(self.seconds, 1e-9)),
        }


def evaluate_links(records: Iterable[GoldRecord], linker: Linker, *, types: Sequence[str] = ()) -> LinkEvaluation:
    """Link the gold mentions of each record, as one document, and compare; if `types` are given, only these count."""
    by_type: dict[str, LinkScore] = {}
    by_method: dict[str, LinkScore] = {}
    overall, seconds, count = LinkScore(), 0.0, 0
    known = _KnownIds(linker)
    for record in records:
        spans = sorted(span for span in record.spans if not types or span.type in types)
        started = time.process_time()
        links = link_text(
            record.text, record.lang, spans=[(span.start, span.end, span.type) for span in spans], linker=linker
        )
        seconds += time.process_time() - started
        count += len(spans)
        for span, found in zip(spans, links, strict=True):
            gold = known.newest(gold_curies(record.concepts.get(span, ""), span.type))
            if gold:
                score = _scored(found, gold, is_known=known.has(gold))
                overall += score
                by_type[span.type] = by_type.get(span.type, LinkScore()) + score
                by_method[found[0].method] = by_method.get(found[0].method, LinkScore()) + score
    return LinkEvaluation(overall, by_type, by_method, seconds, count)


def link_text(
    text: str, lang: str, *, spans: Sequence[tuple[int, int, str]], linker: Linker
) -> list[tuple[ConceptLink, ...]]:
    """The links of mentions (start, end, type) of one text, with the abbreviations that it defines."""
    passage = Passage("", "", lang, text)
    pairs = abbreviation_pairs([passage], known=[(0, start, end) for start, end, _ in spans])
    long_forms = {one.short_form: one.long_form for one in pairs}
    return linker.link_document([NamedText(text[start:end], kind) for start, end, kind in spans], long_forms)


class _KnownIds:
    """The ids of the vocabularies; an id that was replaced counts as the one that stands for it."""

    def __init__(self, linker: Linker) -> None:
        self._ids = frozenset[str]().union(*(one.ids for one in linker.vocabularies))
        self._replaced = {old: new for one in linker.vocabularies for old, new in one.replaced.items()}

    def newest(self, curies: Sequence[str]) -> frozenset[str]:
        return frozenset(self._replaced.get(one, one) for one in curies)

    def has(self, curies: frozenset[str]) -> bool:
        return not curies.isdisjoint(self._ids)


def _scored(found: Sequence[ConceptLink], gold: frozenset[str], *, is_known: bool) -> LinkScore:
    return LinkScore(
        mentions=1,
        linked=found[0].concept_id is not None,
        right=found[0].concept_id in gold,
        right_in_ranks=any(one.concept_id in gold for one in found),
        known=is_known,
    )


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


@dataclass(frozen=True, slots=True)
class EndToEndScore:
    """Found and linked mentions against gold: right is one that shares a character with a gold mention of its concept.

    `predicted` counts found mentions with a concept, `gold` gold mentions with one, `found` gold mentions that a right
    one shares a character with.
    """

    right: int
    predicted: int
    found: int
    gold: int

    def to_json(self) -> dict[str, float | int]:
        """Precision, recall and F1, and the counts."""
        precision, recall = _ratio(self.right, self.predicted), _ratio(self.found, self.gold)
        f1 = round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0
        counts = {"right": self.right, "predicted": self.predicted, "found": self.found, "gold": self.gold}
        return {"precision": precision, "recall": recall, "f1": f1, **counts}


def score_end_to_end(
    records: Sequence[GoldRecord], found: Sequence[Sequence[Span]], *, linker: Linker, types: Sequence[str] = ()
) -> EndToEndScore:
    """Link the mentions that a model found in each record, and compare concepts and places with gold."""
    known = _KnownIds(linker)
    right = predicted = recalled = gold = 0
    for record, spans in zip(records, found, strict=True):
        ordered = sorted(span for span in spans if not types or span.type in types)
        links = link_text(
            record.text, record.lang, spans=[(one.start, one.end, one.type) for one in ordered], linker=linker
        )
        linked = [(span, one[0].concept_id) for span, one in zip(ordered, links, strict=True) if one[0].concept_id]
        marked = [(span, known.newest(gold_curies(text, span.type))) for span, text in record.concepts.items()]
        marked = [(span, ids) for span, ids in marked if ids and (not types or span.type in types)]
        right += sum(any(_overlap(span, other) and concept in ids for other, ids in marked) for span, concept in linked)
        recalled += sum(any(_overlap(span, other) and it in ids for other, it in linked) for span, ids in marked)
        predicted, gold = predicted + len(linked), gold + len(marked)
    return EndToEndScore(right, predicted, recalled, gold)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
