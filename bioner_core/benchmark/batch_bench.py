"""The bench at one batch size: who takes part, the warm-up, the timing, and what goes through the network."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bioner_core.benchmark.contenders import DecoderContender, FloorContender, PromptFloorContender, SelectorContender
from bioner_core.benchmark.decode_settings import DecodeBenchSettings
from bioner_core.benchmark.encoders import bert_tagger, gliner_encoder
from bioner_core.benchmark.gold_forcing import gold_forced
from bioner_core.benchmark.hub_generate import GenerateContender
from bioner_core.benchmark.sentences import Answer, SentenceBatch
from bioner_core.benchmark.stopwatch import Contender, Timing, time_contenders
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.benchmark.tape import MoveLogitTape, recorded
from bioner_core.decoding.decoder import Decoder
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.inference.batching import BatchFill
from bioner_core.models.int8 import int8_is_possible
from bioner_core.models.tagging_model import TaggingModel


@contextmanager
def counted(network: TaggingModel) -> Iterator[list[BatchFill]]:
    """Within the block, note each pass: its tokens, and the slots that they take in attention, padding included.

    The layers but attention see no padding at all.
    """
    fills: list[BatchFill] = []

    def count(_: nn.Module, arguments: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        rows, _, width, _ = named["ragged"].mask.shape
        fills.append(BatchFill(arguments[0].numel(), rows * width))

    hook = network.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield fills
    finally:
        hook.remove()


@dataclass(frozen=True, slots=True)
class BatchRun:
    """What one batch size gave: times by contender; of drafted decoding copies, passes and what they held."""

    batches: tuple[SentenceBatch, ...]
    timings: dict[str, Timing]
    answers: tuple[Answer, ...]
    passes: int
    drafted_fill: BatchFill
    floor_fill: BatchFill


def run_batches(
    subject: BenchSubject,
    batches: Sequence[SentenceBatch],
    *,
    settings: DecodeBenchSettings,
    on_sentences: Callable[[int], None] = lambda _: None,
) -> BatchRun:
    """Warm up, count what the drafted decoder does, and time all contenders."""
    decoder = DraftedDecoder(subject.network)
    drafted = _decoder_contender("drafted", decoder, subject, batches)
    drafted.run(batches[0])
    passes_before = decoder.passes
    with counted(subject.network) as drafted_fills:
        answers = tuple(drafted.run(batch) for batch in batches)
    passes = decoder.passes - passes_before
    floor = FloorContender(subject.network, subject.tokens, answers)
    floor.run(batches[0])
    with counted(subject.network) as floor_fills:
        for batch in batches:
            floor.run(batch)
    others = _others(subject, batches, settings, answers)
    _warm_up(others, batches)
    timings = time_contenders(
        [floor, drafted, *others],
        batches,
        repeats=settings.repeats,
        device=subject.loaded.device,
        on_batch=lambda batch: on_sentences(len(batch.sentences)),
    )
    drafted_fill, floor_fill = sum(drafted_fills, BatchFill()), sum(floor_fills, BatchFill())
    return BatchRun(tuple(batches), timings, answers, passes, drafted_fill, floor_fill)


def _others(
    subject: BenchSubject, batches: Sequence[SentenceBatch], settings: DecodeBenchSettings, answers: Sequence[Answer]
) -> list[Contender]:
    found: list[Contender] = []
    network, tokens, skip = subject.network, subject.tokens, settings.skip
    if "floor_with_prompt" not in skip:
        found.append(PromptFloorContender(network, tokens, answers))
    if "selector" not in skip and subject.selector is not None and subject.decides_itself:
        found.append(SelectorContender(subject.selector, subject, batches))
    if "reference" not in skip:
        found.append(_decoder_contender("reference", ReferenceDecoder(network), subject, batches))
    if "generate" not in skip:
        chosen = spread(len(batches), settings.generate_sentences // len(batches[0].sentences))
        plans = None if subject.decides_itself else answers
        found.append(GenerateContender(network, tokens, chosen, plans=plans))
    if "encoders" not in skip:
        device, dtype = subject.loaded.device, network.added_rows.dtype
        found.append(gliner_encoder(device, dtype))
        if device.type == "cpu" and int8_is_possible():
            found.append(gliner_encoder(device, torch.float32, eight_bits=True))
        found.append(bert_tagger(device, dtype, types=len(tokens.open_ids)))
    return found


def _decoder_contender(
    name: str, decoder: Decoder, subject: BenchSubject, batches: Sequence[SentenceBatch]
) -> DecoderContender:
    tapes = None if subject.decides_itself else record_tapes(type(decoder), subject, batches=batches)
    return DecoderContender(name, decoder, subject.tokens, network=subject.network, tapes=tapes)


def record_tapes(
    decoder_class: Callable[..., Decoder], subject: BenchSubject, *, batches: Sequence[SentenceBatch]
) -> list[MoveLogitTape]:
    """For each batch, the logits that the loaded model gives such a decoder, the gold deciding where it shall."""
    network, tapes = subject.loaded.network, list[MoveLogitTape]()
    decoder = decoder_class(network)
    for batch in batches:
        forced = gold_forced(network, batch.rows, moves=batch.gold_moves, label_set=subject.tokens)
        with forced if subject.is_gold_forced else nullcontext(), recorded(network) as tape:
            decoder.decode(batch.rows, subject.tokens)
        tapes.append(tape)
    return tapes


def spread(count: int, wanted: int) -> frozenset[int]:
    """`wanted` of `count` places, at least one and at most all, at equal distances: short and long batches alike."""
    taken = min(max(wanted, 1), count)
    return frozenset((2 * index + 1) * count // (2 * taken) for index in range(taken))


def _warm_up(contenders: Sequence[Contender], batches: Sequence[SentenceBatch]) -> None:
    """Let each contender do its shortest and its longest batch once."""
    for contender in contenders:
        taken = [batch for batch in batches if contender.takes(batch)]
        for batch in taken[:1] + taken[1:][-1:]:
            contender.run(batch)
