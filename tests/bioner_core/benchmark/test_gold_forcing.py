"""Forcing the gold, recording logits and replaying them in another network."""

import pytest
import torch
from torch import Tensor

from bioner_core.benchmark.gold_forcing import gold_forced
from bioner_core.benchmark.sentences import SentenceBatch, batches_of, draw_sentences
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.benchmark.tape import recorded, replayed
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.device_bench.sample_sentences import sample_records
from bioner_core.device_bench.stand_in import stand_in_model
from bioner_core.labels.label_set import load_label_set
from tests.bioner_core.benchmark.bench_samples import bench_sentences, tiny_subject
from tests.bioner_core.tiny_model import tiny_model

SUBJECT = tiny_subject()
BATCH = SentenceBatch(0, tuple(bench_sentences(SUBJECT)))


@pytest.mark.parametrize("decoder_class", [DraftedDecoder, ReferenceDecoder])
def test_a_forced_decoder_writes_the_gold(decoder_class: type[DraftedDecoder] | type[ReferenceDecoder]) -> None:
    """Would catch a gold move that is given at the wrong place, or to the wrong row once rows have left the batch."""
    decoder = decoder_class(SUBJECT.network)
    with gold_forced(SUBJECT.network, BATCH.rows, moves=BATCH.gold_moves, label_set=SUBJECT.tokens):
        forced = [row.moves for row in decoder.decode(BATCH.rows, SUBJECT.tokens)]
    assert forced == BATCH.gold_moves
    free = [row.moves for row in decoder_class(SUBJECT.network).decode(BATCH.rows, SUBJECT.tokens)]
    assert free != BATCH.gold_moves, "the model tags as the gold does: the test is blind"


def test_a_replay_takes_the_recorded_decisions() -> None:
    """Would catch a replay that lets the other network's own logits through."""
    first, other = DraftedDecoder(SUBJECT.network), tiny_model(seed=5)
    with recorded(SUBJECT.network) as tape:
        wanted = [row.moves for row in first.decode(BATCH.rows, SUBJECT.tokens)]
    second = DraftedDecoder(other)
    with replayed(other, tape):
        assert [row.moves for row in second.decode(BATCH.rows, SUBJECT.tokens)] == wanted
    assert second.passes == first.passes
    assert [row.moves for row in second.decode(BATCH.rows, SUBJECT.tokens)] != wanted


def test_a_replay_does_the_networks_own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a replay that leaves out what is to be timed."""
    other = tiny_model(seed=5)
    with recorded(SUBJECT.network) as tape:
        DraftedDecoder(SUBJECT.network).decode(BATCH.rows, SUBJECT.tokens)
    computed: list[int] = []
    own = other.move_logits

    def counting(hidden: Tensor, weights: object) -> Tensor:
        computed.append(len(hidden))
        return own(hidden, weights)

    monkeypatch.setattr(other, "move_logits", counting)
    with replayed(other, tape):
        DraftedDecoder(other).decode(BATCH.rows, SUBJECT.tokens)
    assert computed == [len(logits) for logits in tape]


def test_a_tape_of_another_decoder_is_refused() -> None:
    """Would catch figures of a replay that had run out of step unnoticed."""
    with recorded(SUBJECT.network) as tape:
        ReferenceDecoder(SUBJECT.network).decode(BATCH.rows, SUBJECT.tokens)
    decoder = DraftedDecoder(SUBJECT.network)
    with replayed(SUBJECT.network, tape), pytest.raises(RuntimeError, match="departs from the recorded"):
        decoder.decode(BATCH.rows, SUBJECT.tokens)


def test_the_network_is_left_as_it_was() -> None:
    """Would catch a network that goes on recording, or tagging as the gold does, after the bench."""
    network = tiny_model()
    before = set(network.__dict__)
    with gold_forced(network, [], moves=[], label_set=SUBJECT.tokens), recorded(network), replayed(network, []):
        assert set(network.__dict__) > before
    assert set(network.__dict__) == before


def test_the_gold_is_forced_on_models_that_read_definitions() -> None:
    """Would catch the column of gold moves taken for a part of the definitions' states."""
    label_set = load_label_set("genia")
    loaded = stand_in_model(label_set, device=torch.device("cpu"), precision="float32")
    prepared = prepare_label_set(label_set, loaded)
    subject = BenchSubject(loaded, loaded.network, prepared, 1.0, is_gold_forced=True)
    batch = batches_of(draw_sentences(sample_records(2), subject, count=2), 2)[0]
    assert prepared.tokens.definition_ends
    with gold_forced(loaded.network, batch.rows, moves=batch.gold_moves, label_set=prepared.tokens):
        decoded = DraftedDecoder(loaded.network).decode(batch.rows, prepared.tokens)
    assert [row.moves for row in decoded] == batch.gold_moves
