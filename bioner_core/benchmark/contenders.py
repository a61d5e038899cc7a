"""Our own ways of doing a batch: the two decoders, and the floor that neither can get under."""

import itertools
from collections.abc import Sequence
from contextlib import nullcontext

import torch

from bioner_core.benchmark.sentences import Answer, SentenceBatch
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.benchmark.tape import MoveLogitTape, replayed
from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.decision import written_tokens
from bioner_core.decoding.decoder import Decoder, PromptCaches
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens, tag_score
from bioner_core.decoding.teacher_forced import teacher_forced_states
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.selector.selector import Selector, features_of_rows
from bioner_core.tagging.moves import Move, tag_pairs


class DecoderContender:
    """A decoder; with tapes (one per batch) it takes the decisions that stand on them instead of its network's own."""

    def __init__(
        self,
        name: str,
        decoder: Decoder,
        label_set: LabelSetTokens,
        *,
        network: TaggingModel,
        tapes: Sequence[MoveLogitTape] | None = None,
    ) -> None:
        self.name = name
        self._decoder = decoder
        self._label_set = label_set
        self._network = network
        self._tapes = tapes

    def takes(self, batch: SentenceBatch) -> bool:
        """Every batch."""
        return True

    def run(self, batch: SentenceBatch) -> Answer:
        """Decode the batch."""
        context = replayed(self._network, self._tapes[batch.index]) if self._tapes is not None else nullcontext()
        with context:
            return [row.moves for row in self._decoder.decode(batch.rows, self._label_set)]


class FloorContender:
    """One teacher-forced pass over each sentence and its finished copy, after the prompt's cached keys and values.

    `answers` gives the finished copies by the batch's index.
    """

    name = "floor"

    def __init__(self, network: TaggingModel, label_set: LabelSetTokens, answers: Sequence[Answer]) -> None:
        self._prompts = PromptCaches(network)
        self._label_set = label_set
        self._answers = answers

    def takes(self, batch: SentenceBatch) -> bool:
        """Every batch."""
        return True

    def run(self, batch: SentenceBatch) -> None:
        """Read the batch once."""
        teacher_forced_states(self._prompts, batch.rows, moves=self._answers[batch.index], label_set=self._label_set)


class PromptFloorContender:
    """The same pass when each row reads the prompt too: what a method pays that does not share the prompt."""

    name = "floor_with_prompt"

    def __init__(self, network: TaggingModel, label_set: LabelSetTokens, answers: Sequence[Answer]) -> None:
        self._network = network
        self._label_set = label_set
        self._answers = answers

    def takes(self, batch: SentenceBatch) -> bool:
        """Every batch."""
        return True

    @torch.inference_mode()
    def run(self, batch: SentenceBatch) -> None:
        """Read the batch once, prompts and all."""
        answers = self._answers[batch.index]
        blocks = [
            [
                *self._label_set.prefix,
                *row.source_ids,
                *row.separator,
                *copy_tokens(row, moves, label_set=self._label_set),
            ]
            for row, moves in zip(batch.rows, answers, strict=True)
        ]
        RaggedCache(self._network, len(blocks)).feed(blocks)


class SelectorContender:
    """The selector on what the drafted decoder found: features, probabilities, decisions, without the decoding."""

    name = "selector"

    def __init__(self, selector: Selector, subject: BenchSubject, batches: Sequence[SentenceBatch]) -> None:
        self._selector = selector
        self._open_rows = subject.tokens.open_rows
        decoder = DraftedDecoder(subject.network)
        self._decoded = [decoder.decode(batch.rows, subject.tokens) for batch in batches]

    def takes(self, batch: SentenceBatch) -> bool:
        """Every batch."""
        return True

    def run(self, batch: SentenceBatch) -> None:
        """Judge the candidates of the batch."""
        rows, decoded = batch.rows, self._decoded[batch.index]
        pairs = [tag_pairs(one.moves, len(row.unit_ids)) for row, one in zip(rows, decoded, strict=True)]
        tags = [self._open_rows[pair.span.type_index] for found in pairs for pair in found]
        scores = [tag_score(one, pair) for one, found in zip(decoded, pairs, strict=True) for pair in found]
        if tags:
            self._selector.probabilities(
                features_of_rows([one.states for one in decoded], pairs), tags, tag_scores=scores
            )


def copy_tokens(row: DecodingRow, moves: Sequence[Move], *, label_set: LabelSetTokens) -> list[int]:
    """The token ids of a finished copy."""
    return [*itertools.chain.from_iterable(written_tokens(moves, row, label_set=label_set))]
