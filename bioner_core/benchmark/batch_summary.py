"""From the times and copies of one batch size to its figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bioner_core.benchmark.batch_bench import BatchRun
from bioner_core.benchmark.contenders import copy_tokens
from bioner_core.benchmark.decode_report import BatchFigures, ContenderFigures
from bioner_core.benchmark.machine import row_flops
from bioner_core.benchmark.sentences import Answer, BenchSentence, SentenceBatch
from bioner_core.benchmark.stopwatch import Timing
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.evaluation.scoring import RecordSpans, score
from bioner_core.tagging.moves import FIRST_OPEN, Move
from bioner_core.tagging.render import text_spans
from bioner_core.tagging.scheme import parse

_GLINER = ("gliner_encoder", "gliner_encoder_int8")
_WRITE_NOTHING = (*_GLINER, "bert_tagger", "selector")


def summarise(subject: BenchSubject, run: BatchRun, *, batch_size: int) -> BatchFigures:
    """All figures of one batch size."""
    sentences = sum(len(batch.sentences) for batch in run.batches)
    written = [_written_tokens(batch, answer, subject) for batch, answer in zip(run.batches, run.answers, strict=True)]
    opened = sum(move >= FIRST_OPEN for answer in run.answers for moves in answer for move in moves)
    drafted, reference = run.timings["drafted"], run.timings.get("reference")
    generate, selector = run.timings.get("generate"), run.timings.get("selector")
    return BatchFigures(
        batch=batch_size,
        sentences=sentences,
        rows=sum(len(answer) for answer in run.answers),
        tokens=sum(written),
        spans_per_sentence=opened / sentences,
        contenders={
            name: _contender_figures(name, timing, run, written, subject) for name, timing in run.timings.items()
        },
        passes_per_sentence=run.passes / sentences,
        tokens_read_to_floor=run.drafted_fill.tokens / run.floor_fill.tokens,
        padding={"drafted": run.drafted_fill.padding, "floor": run.floor_fill.padding},
        reference_to_drafted=reference.ratio_to(drafted) if reference else None,
        generate_to_drafted=generate.ratio_to(drafted) if generate else None,
        selector_to_drafted=selector.ratio_to(drafted) if selector else None,
        encoder_parity=_encoder_parity(run),
        identical=_identical(drafted, reference, run.batches) if subject.decides_itself else None,
        generate_identical=_identical(drafted, generate, run.batches) if subject.decides_itself else None,
        f1=_f1(subject, run) if subject.decides_itself else {},
    )


def _contender_figures(
    name: str, timing: Timing, run: BatchRun, written: Sequence[int], subject: BenchSubject
) -> ContenderFigures:
    taken = [run.batches[index] for index in timing.taken]
    sentences = sum(len(batch.sentences) for batch in taken)
    needed = sum(_floor_flops(batch, run.answers[batch.index], subject) for batch in taken)
    writes_nothing = name in _WRITE_NOTHING
    return ContenderFigures(
        seconds=timing.total,
        sentences=sentences,
        sentences_per_second=sentences / timing.total,
        tokens_per_second=None if writes_nothing else sum(written[batch.index] for batch in taken) / timing.total,
        to_floor=timing.ratio_to(run.timings["floor"]),
        of_matrix_rate=None if writes_nothing else needed / timing.total / subject.matrix_rate,
    )


def _encoder_parity(run: BatchRun) -> Mapping[str, Any] | None:
    """The drafted decoder's sentences per second through those of the faster GLiNER encoder, and which that is."""
    encoders = {name: run.timings[name] for name in _GLINER if name in run.timings}
    if not encoders:
        return None
    better = min(encoders, key=lambda name: encoders[name].ratio_to(run.timings["drafted"]))
    return {"encoder": better, "ratio": encoders[better].ratio_to(run.timings["drafted"])}


def _written_tokens(batch: SentenceBatch, answer: Answer, subject: BenchSubject) -> int:
    return sum(
        len(copy_tokens(row, moves, label_set=subject.tokens)) for row, moves in zip(batch.rows, answer, strict=True)
    )


def _floor_flops(batch: SentenceBatch, answer: Answer, subject: BenchSubject) -> float:
    """What one pass over sentences and finished copies is, the prompt's keys and values at hand."""
    prefix = len(subject.tokens.prefix)
    total = 0.0
    for row, moves in zip(batch.rows, answer, strict=True):
        tokens = len(row.source_ids) + len(row.separator) + len(copy_tokens(row, moves, label_set=subject.tokens))
        total += row_flops(subject.network, read_before=prefix, tokens=tokens)
    return total


def _identical(one: Timing, other: Timing | None, batches: Sequence[SentenceBatch]) -> float | None:
    """Share of the sentences on which two contenders made the same moves in every row."""
    if other is None:
        return None
    pairs = [
        pair
        for batch in batches
        if batch.index in other.taken
        for pair in zip(_by_sentence(one, batch), _by_sentence(other, batch), strict=True)
    ]
    return sum(mine == theirs for mine, theirs in pairs) / len(pairs)


def _by_sentence(timing: Timing, batch: SentenceBatch) -> list[Answer]:
    answer = timing.answers[batch.index]
    if answer is None:
        raise RuntimeError(f"batch {batch.index} has no answer")
    lines = len(batch.sentences[0].rows)
    return [answer[index * lines : (index + 1) * lines] for index in range(len(batch.sentences))]


def _f1(subject: BenchSubject, run: BatchRun) -> Mapping[str, float]:
    """Strict F1 against the gold of all who tagged every sentence, and drafted less reference."""
    found: dict[str, float] = {
        name: score(_scored(subject, run.batches, run.timings[name])).f1
        for name in ("drafted", "reference")
        if name in run.timings
    }
    if len(found) == 2:
        found["difference"] = found["drafted"] - found["reference"]
    return found


def _scored(subject: BenchSubject, batches: Sequence[SentenceBatch], timing: Timing) -> Iterable[RecordSpans]:
    names = subject.prepared.label_set.type_names
    for batch in batches:
        for sentence, lines in zip(batch.sentences, _by_sentence(timing, batch), strict=True):
            yield RecordSpans(sentence.gold, _spans(sentence, lines, names))


def _spans(sentence: BenchSentence, lines: Sequence[Sequence[Move]], names: Sequence[str]) -> frozenset[Any]:
    return frozenset(text_spans(parse(lines, len(sentence.units)), sentence.units, type_names=names))
