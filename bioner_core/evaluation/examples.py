"""A few mistakes of each kind with the sentences that they were made in, for a person to read."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.documents import Sentence
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.mistakes import Mistake, MistakeKind
from bioner_core.mentions import Span

CONTEXT = 160
"""At most so many characters are shown on either side."""


@dataclass(frozen=True, slots=True)
class Example:
    """One mistake in its sentence; spans are offsets into `text`, which starts at `offset` of the record's text."""

    record_id: str
    lang: str
    offset: int
    text: str
    gold: Span | None
    predicted: Span | None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)


def pick_examples(
    records: Sequence[GoldRecord],
    sentences: Sequence[Sequence[Sentence]],
    *,
    found: Sequence[Sequence[Mistake]],
    limit: int,
) -> dict[MistakeKind, tuple[Example, ...]]:
    """At most `limit` examples of each kind, evenly spread over the records; the same mistakes give the same ones."""
    places: defaultdict[MistakeKind, list[tuple[int, Mistake]]] = defaultdict(list)
    for index, of_record in enumerate(found):
        for mistake in of_record:
            places[mistake.kind].append((index, mistake))
    return {
        kind: tuple(
            _example(records[index], sentences[index], mistake) for index, mistake in _spread(places[kind], limit)
        )
        for kind in MistakeKind
    }


def _spread(items: Sequence[tuple[int, Mistake]], limit: int) -> list[tuple[int, Mistake]]:
    count = min(limit, len(items))
    return [items[index * len(items) // count] for index in range(count)]


def _example(record: GoldRecord, sentences: Sequence[Sentence], mistake: Mistake) -> Example:
    first = min(span.start for span in mistake.spans)
    last = max(span.end for span in mistake.spans)
    index = bisect_right(sentences, first, key=lambda sentence: sentence.start) - 1
    holder = sentences[max(index, 0)]
    start = max(min(holder.start, first), first - CONTEXT)
    end = min(max(holder.end, last), last + CONTEXT)
    return Example(
        record_id=record.record_id,
        lang=record.lang,
        offset=start,
        text=record.text[start:end],
        gold=_moved(mistake.gold, start),
        predicted=_moved(mistake.predicted, start),
    )


def _moved(span: Span | None, origin: int) -> Span | None:
    return None if span is None else Span(span.start - origin, span.end - origin, span.type)
