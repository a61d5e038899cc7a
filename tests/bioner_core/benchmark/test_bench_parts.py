"""The parts of the bench that are not contenders: sentences, clock, arithmetic, encoders, other shapes, chart."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from transformers import DebertaV2Config

from bioner_core.benchmark import encoders
from bioner_core.benchmark.batch_bench import run_batches
from bioner_core.benchmark.batch_summary import summarise
from bioner_core.benchmark.charts import check_chart_name, decode_chart
from bioner_core.benchmark.decode_report import DecodeBench
from bioner_core.benchmark.encoders import LABEL_TOKENS, bert_tagger, gliner_encoder
from bioner_core.benchmark.machine import matrix_product_rate, matrix_weights, row_flops
from bioner_core.benchmark.random_models import SHAPES, random_configuration, random_model
from bioner_core.benchmark.sentences import SentenceBatch, batches_of, draw_sentences
from bioner_core.benchmark.stopwatch import Timing, time_contenders
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.errors import ConfigurationError, InputError
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.models.int8 import int8_is_possible
from bioner_core.models.precision_choice import PrecisionChoice
from tests.bioner_core.benchmark.bench_samples import bench_sentences, tiny_settings, tiny_subject
from tests.bioner_core.tiny_model import tiny_config, tiny_model


class Sleeper:
    """A contender that takes a known time on a clock of its own, and keeps what it was asked to do."""

    def __init__(self, name: str, clock: list[float], *, seconds: float, odd_only: bool = False) -> None:
        self.name = name
        self._clock, self._seconds, self._odd_only = clock, seconds, odd_only
        self.ran: list[int] = []

    def takes(self, batch: SentenceBatch) -> bool:
        return batch.index % 2 == 1 or not self._odd_only

    def run(self, batch: SentenceBatch) -> None:
        self._clock[0] += self._seconds * (batch.index + 1)
        self.ran.append(batch.index)


def test_contenders_are_timed_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a contender that is timed on another's batch, or a ratio over batches that only one of them ran."""
    clock = [0.0]
    monkeypatch.setattr("bioner_core.benchmark.stopwatch.time.perf_counter", lambda: clock[0])
    quick, slow = Sleeper("quick", clock, seconds=1.0), Sleeper("slow", clock, seconds=5.0, odd_only=True)
    batches = [SentenceBatch(index, ()) for index in range(4)]
    done: list[int] = []
    timings = time_contenders(
        [quick, slow], batches, repeats=2, device=torch.device("cpu"), on_batch=lambda batch: done.append(batch.index)
    )
    assert (quick.ran, slow.ran, done) == ([0, 1, 2, 3] * 2, [1, 3] * 2, [0, 1, 2, 3] * 2)
    assert (timings["quick"].total, timings["slow"].total) == (10.0, 30.0)
    assert (timings["slow"].taken, timings["slow"].ratio_to(timings["quick"])) == ((1, 3), 5.0)


def test_a_slow_round_does_not_move_the_figures() -> None:
    """Would catch a mean in the place of the median, or rounds that are paired crosswise."""
    one = Timing(((1.0, 2.0), (10.0, 20.0), (2.0, 2.0)), (None, None))
    other = Timing(((2.0, 4.0), (20.0, 40.0), (2.0, 2.0)), (None, None))
    assert one.total == 4.0
    assert one.ratio_to(other) == 0.5


def test_the_same_sentences_are_drawn_again() -> None:
    """Would catch two runs that time different sentences, or a draw from the head of the corpus only."""
    subject = tiny_subject()
    assert bench_sentences(subject, 3) == bench_sentences(subject, 3)
    assert len(bench_sentences(subject, 3)) == 3
    assert len(bench_sentences(subject, 1000)) == 5
    with pytest.raises(InputError, match="no sentence"):
        draw_sentences([GoldRecord("1", "en", " ", frozenset())], subject, count=3)


def test_batches_hold_sentences_of_like_length() -> None:
    """Would catch a sentence that is lost, or long and short ones together."""
    batches = batches_of(bench_sentences(tiny_subject()), 2)
    lengths = [one.length for batch in batches for one in batch.sentences]
    assert lengths == sorted(lengths)
    assert [len(batch.sentences) for batch in batches] == [2, 2, 1]


def test_flops_are_those_of_a_plain_llama() -> None:
    """Would catch an embedding that is counted, or attention over what was not read."""
    network, config = tiny_model(), tiny_config()
    kv = config.hidden_size // 2
    layer = 2 * config.hidden_size**2 + 2 * config.hidden_size * kv + 3 * config.hidden_size * config.intermediate_size
    assert matrix_weights(network) == 3 * layer
    attention = 4 * 3 * config.hidden_size * (10 + 1 + 10 + 2)
    assert row_flops(network, read_before=10, tokens=2) == 2 * 3 * layer * 2 + attention


def test_the_rate_of_matrix_products_is_measured() -> None:
    """Would catch a rate per call, or one that is not positive."""
    assert 1e8 < matrix_product_rate(torch.device("cpu"), torch.float32) < 1e15


def test_the_encoders_have_the_sizes_of_their_models() -> None:
    """Would catch a yardstick that is a smaller encoder than it says."""
    with torch.device("meta"):
        gliner = gliner_encoder(torch.device("meta"), torch.bfloat16)
        bert = bert_tagger(torch.device("meta"), torch.bfloat16, types=5)
    sizes = [sum(p.numel() for p in one._model.parameters()) / 1e6 for one in (gliner, bert)]
    assert sizes == pytest.approx([183.8, 108.9], abs=0.5)


@pytest.mark.skipif(not int8_is_possible(), reason="this torch has no products in eight bits for this processor")
def test_an_encoder_in_eight_bits_has_no_other_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a rival that is called int8 and computes in float32, or that finds other states."""
    small = DebertaV2Config(
        vocab_size=2000, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        relative_attention=True, position_buckets=32, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type=["p2c", "c2p"], position_biased_input=False,
    )  # fmt: skip
    monkeypatch.setattr(encoders, "DebertaV2Config", lambda **_: small)
    found = []
    for eight_bits in (False, True):
        torch.manual_seed(1)
        model = gliner_encoder(torch.device("cpu"), torch.float32, eight_bits=eight_bits)._model
        ids = torch.randint(1000, 2000, (2, 9), generator=torch.Generator().manual_seed(2))
        with torch.inference_mode():
            found.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state)
    assert not any(isinstance(one, torch.nn.Linear) for one in model.modules())
    assert torch.nn.functional.cosine_similarity(*(one.flatten() for one in found), dim=0) > 0.99


def test_an_encoder_reads_label_tokens_and_text() -> None:
    """Would catch a yardstick that runs on nothing, or over the end of its positions."""
    with torch.device("meta"):
        encoder = gliner_encoder(torch.device("meta"), torch.bfloat16)
    seen: list[tuple[int, ...]] = []
    encoder._model.forward = lambda input_ids, attention_mask: seen.append(tuple(input_ids.shape))
    sentences = bench_sentences(tiny_subject())
    batch = SentenceBatch(0, tuple(sentences))
    encoder.run(batch)
    assert seen == [(5, max(one.length for one in sentences) + LABEL_TOKENS + 2)]
    longer = replace(sentences[0], rows=(replace(sentences[0].rows[0], unit_ids=((1,),) * 512),))
    assert encoder.takes(batch)
    assert not encoder.takes(SentenceBatch(0, (longer,)))


@pytest.mark.parametrize(("name", "millions"), [("small", 314), ("1b", 973), ("7b", 6979)])
def test_shapes_have_the_sizes_of_their_models(name: str, millions: int) -> None:
    """Would catch a shape that is not the model that it stands for."""
    configuration = random_configuration(name)
    with torch.device("meta"):
        like = tiny_model()
        like.to("meta")
    network = random_model(configuration, like=like)
    assert matrix_weights(network) / 1e6 == pytest.approx(millions, abs=1)
    assert set(SHAPES) == {"small", "1b", "7b"}


def test_a_random_model_takes_the_place_of_the_loaded_one(tmp_path: Path) -> None:
    """Would catch another architecture that the decoders cannot drive, or another vocabulary."""
    subject = tiny_subject()
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model_type": "qwen2", "num_key_value_heads": 2, "vocab_size": 99, **shape}))
    network = random_model(random_configuration(str(file)), like=subject.network)
    assert (network.base_size, network.hidden_size) == (subject.network.base_size, 32)
    rows = [row for one in bench_sentences(subject) for row in one.rows]
    assert len(DraftedDecoder(network).decode(rows, subject.tokens)) == len(rows)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"model_type": "abacus"}'])
def test_a_bad_configuration_is_named(tmp_path: Path, content: str | None) -> None:
    """Would catch a stack trace for a mistyped name."""
    file = tmp_path / "config.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match="random-config"):
        random_configuration(str(file))


_TRIED = PrecisionChoice("float32", "measured here", {"float32": 64e9, "bfloat16": 9e9})


def tiny_bench() -> DecodeBench:
    """A bench of two batch sizes."""
    subject = tiny_subject()
    sentences = bench_sentences(subject)
    figures = [
        summarise(subject, run_batches(subject, batches_of(sentences, size), settings=tiny_settings()), batch_size=size)
        for size in (1, 4)
    ]
    machine = {"device": "cpu", "processor": "abacus", "threads": 1, "matrix_products_per_second": 1e9}
    return DecodeBench("a<b", 9, "inline", "tiny", "float32", _TRIED, 1, "model", machine, tuple(figures))


def test_the_largest_batch_stands_at_the_top_level() -> None:
    """Would catch several batches that leave the promised fields out, or those of the wrong batch."""
    found = json.loads(json.dumps(tiny_bench().to_json()))
    top = ("floor_s", "drafted_s", "reference_s", "passes_per_sentence", "identical", "sentences", "batch")
    assert [found[name] for name in top] == [found["batches"][1][name] for name in top]
    assert [one["batch"] for one in found["batches"]] == [1, 4]
    assert found["drafted_s"] == found["contenders"]["drafted"]["seconds"]


def test_the_bench_says_which_precisions_were_tried_and_why_one_was_taken() -> None:
    """Would catch figures of which nobody can say whether `auto` chose well."""
    found = json.loads(json.dumps(tiny_bench().to_json()))
    assert found["number_format"] == "float32"
    assert (found["precision_reason"], found["precisions_tried"]) == (_TRIED.reason, _TRIED.rates)


def test_the_chart_is_a_whole_image_with_every_contender() -> None:
    """Would catch an image that no viewer opens, or a contender without a bar."""
    bench = tiny_bench()
    root = ElementTree.fromstring(decode_chart(bench))  # noqa: S314 - our own image
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    bars = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    assert {"batch 1", "batch 4", "drafted", "floor", "generate"} <= set(words)
    assert len(bars) == 1 + sum(len(one.contenders) for one in bench.batches), "the background and a bar each"


@pytest.mark.parametrize("name", ["chart.png", "chart", "nowhere/chart.svg"])
def test_a_chart_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    """Would catch an hour's bench that ends without its chart."""
    with pytest.raises(ConfigurationError, match="chart"):
        check_chart_name(tmp_path / name)
