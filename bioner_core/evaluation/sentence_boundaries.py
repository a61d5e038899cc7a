"""Measures the sentence splitter on gold corpora: `python -m bioner_core.evaluation.sentence_boundaries --data FOLDER`.

Records that are single sentences are joined again (GENIA: those of one abstract, by a blank; CMeEE: eight neighbours,
by nothing), and the joints are the gold boundaries. On whole texts only the entities that a cut would break count.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from time import process_time
from typing import Any

from bioner_core.documents import Passage, Sentence
from bioner_core.errors import BionerError, ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord, read_corpus, spans_by_sentence
from bioner_core.evaluation.scoring import RecordSpans, Score, score
from bioner_core.mentions import Span
from bioner_core.text.sentences import split_passage

JOINED = ("genia/train", "genia/dev", "genia/test", "cmeee/train", "cmeee/dev")
WHOLE = ("bc5cdr/train", "bc5cdr/dev", "bc5cdr/test", "craft/train", "craft/dev", "cmedqaner/train", "cmedqaner/dev")
HOSTILE = ("(", "a", ". ", "。", "“", '。"', "A. ", "e.g. ", "(Aa. Bb) ", "[a b] A", "aaa.The", ".\n")
HOSTILE_LENGTH = 1_000_000

Splitter = Callable[[Passage, int], list[Sentence]]
"""The shape of `split_passage`."""

_JOINT = "joint"


@dataclass(frozen=True, slots=True)
class Row:
    """One splitter on one corpus; `boundaries` is None where no gold boundary is known.

    `passages_per_second` are those of one core: processor time, so that other work on the machine does not count.
    """

    splitter: str
    corpus: str
    passages: int
    boundaries: Score | None
    entities: int
    broken_entities: int
    passages_per_second: float


def measure(name: str, splitter: Splitter, *, corpus: str, records: Sequence[GoldRecord], is_joined: bool) -> Row:
    """Split the records and compare; `is_joined` says that `records` carry their joints as spans of type `joint`."""
    started = process_time()
    split = [splitter(Passage("text", "", record.lang, record.text), 0) for record in records]
    seconds = process_time() - started
    pairs = [
        RecordSpans(_joints(record), _openings(sentences)) for record, sentences in zip(records, split, strict=True)
    ]
    entities = [[span for span in record.spans if span.type != _JOINT] for record in records]
    kept = sum(sum(map(len, spans_by_sentence(s, spans))) for s, spans in zip(split, entities, strict=True))
    total = sum(map(len, entities))
    return Row(
        splitter=name,
        corpus=corpus,
        passages=len(records),
        boundaries=score(pairs) if is_joined else None,
        entities=total,
        broken_entities=total - kept,
        passages_per_second=len(records) / seconds,
    )


def join_abstracts(records: Iterable[GoldRecord]) -> list[GoldRecord]:
    """GENIA's sentences joined to abstracts by a blank; a span of type `joint` opens each sentence but the first."""
    groups = groupby(records, key=lambda record: record.record_id.rsplit("-", 1)[0])
    return [_join(sorted(group, key=_place), " ") for _, group in groups]


def join_neighbours(records: Iterable[GoldRecord], *, size: int = 8) -> list[GoldRecord]:
    """Chinese texts that end in `。！？` joined to passages of `size`, with nothing between, as Chinese is printed."""
    ended = [record for record in records if record.text.endswith(("。", "！", "？"))]
    return [_join(ended[i : i + size], "") for i in range(0, len(ended), size)]


def sentencex_splitter() -> Splitter:
    """The library `sentencex`, which is no dependency, as a yardstick.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        from sentencex import get_sentence_boundaries
    except ImportError as error:
        raise ConfigurationError("--yardstick needs the package sentencex: pip install sentencex") from error

    def split(passage: Passage, passage_index: int) -> list[Sentence]:
        found = [
            (edge["start_index"], passage.text[edge["start_index"] : edge["end_index"]])
            for edge in get_sentence_boundaries(passage.lang, passage.text)
            if not edge["is_paragraph_break"]
        ]
        return [
            Sentence(
                passage_index, index, start + _indent(text), start + len(text.rstrip()), text.strip(), passage.lang
            )
            for index, (start, text) in enumerate(found)
        ]

    return split


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or one JSON object; 0 when all was measured, 2 when a corpus or the yardstick is missing."""
    parser = argparse.ArgumentParser(prog="python -m bioner_core.evaluation.sentence_boundaries", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of <corpus>/<split>.jsonl.gz")
    parser.add_argument("--yardstick", action="store_true", help="measure the package sentencex beside our rules")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    try:
        rows = list(_rows(options.data, with_yardstick=options.yardstick))
    except BionerError as error:
        parser.exit(2, f"{error}\n")
    report: dict[str, Any] = {"rows": [asdict(row) for row in rows], "hostile_seconds": _hostile_seconds()}
    print(json.dumps(report, ensure_ascii=False) if options.json else _table(rows, report["hostile_seconds"]))
    return 0


def _rows(data: Path, *, with_yardstick: bool) -> Iterable[Row]:
    splitters: dict[str, Splitter] = {"rules": split_passage}
    if with_yardstick:
        splitters["sentencex"] = sentencex_splitter()
    for corpus in (*JOINED, *WHOLE):
        records = _passages(data, corpus)
        for name, splitter in splitters.items():
            yield measure(name, splitter, corpus=corpus, records=records, is_joined=corpus in JOINED)


def _passages(data: Path, corpus: str) -> list[GoldRecord]:
    records = read_corpus(data / f"{corpus}.jsonl.gz")
    if corpus not in JOINED:
        return list(records)
    return join_abstracts(records) if corpus.startswith("genia/") else join_neighbours(records)


def _join(records: Sequence[GoldRecord], glue: str) -> GoldRecord:
    text = ""
    spans: set[Span] = set()
    for record in records:
        if text:
            text += glue
            spans.add(Span(len(text), len(text) + 1, _JOINT))
        spans.update(Span(len(text) + span.start, len(text) + span.end, span.type) for span in record.spans)
        text += record.text
    return GoldRecord(records[0].record_id, records[0].lang, text, frozenset(spans))


def _place(record: GoldRecord) -> int:
    return int(record.record_id.rsplit("-", 1)[1])


def _joints(record: GoldRecord) -> frozenset[Span]:
    return frozenset(span for span in record.spans if span.type == _JOINT)


def _openings(sentences: Sequence[Sentence]) -> frozenset[Span]:
    return frozenset(Span(sentence.start, sentence.start + 1, _JOINT) for sentence in sentences[1:])


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _hostile_seconds() -> dict[str, float]:
    """Processor seconds for one text of a million characters, by the pattern that fills it."""
    seconds = {}
    for pattern in HOSTILE:
        text = (pattern * (HOSTILE_LENGTH // len(pattern) + 1))[:HOSTILE_LENGTH]
        started = process_time()
        split_passage(Passage("text", "", "en", text), 0)
        seconds[pattern] = process_time() - started
    return seconds


def _table(rows: Sequence[Row], hostile_seconds: dict[str, float]) -> str:
    lines = ["splitter   corpus           passages entities broken passages/s boundaries precision recall f1"]
    lines += [
        f"{row.splitter:10} {row.corpus:16} {row.passages:8} {row.entities:8} {row.broken_entities:6} "
        f"{row.passages_per_second:10.0f} {_ratios(row.boundaries)}"
        for row in rows
    ]
    lines += [f"1,000,000 characters of {pattern!r}: {s:.2f} s" for pattern, s in hostile_seconds.items()]
    return "\n".join(lines)


def _ratios(found: Score | None) -> str:
    if found is None:
        return f"{'-':>10} {'-':>9} {'-':>6} {'-':>6}"
    return f"{found.support:10} {found.precision:9.4f} {found.recall:6.4f} {found.f1:6.4f}"


if __name__ == "__main__":
    raise SystemExit(main())
