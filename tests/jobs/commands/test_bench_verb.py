"""`bioner bench`: what is checked before a model is loaded, the promised fields, and the pipeline without a model."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from job_commands import Command
from safetensors.torch import save_file

from bioner_core.benchmark import decode_bench
from bioner_core.benchmark.decode_settings import BATCHES, GPU_BATCHES
from bioner_core.errors import ModelError
from bioner_core.models.base_model import is_pulled
from bioner_core.models.bases import SMOLLM2
from bioner_core.models.directory import ROWS_FILE, model_folder
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import write_card
from tests.bioner_core.benchmark.bench_samples import tiny_card, tiny_loaded
from tests.bioner_core.tiny_model import save_tiny_base
from tests.bioner_core.training.training_samples import write_corpus, write_label_set

PROMISED = ("floor_s", "drafted_s", "reference_s", "passes_per_sentence", "identical", "sentences")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A bench of the tiny model on a corpus of twenty sentences."""
    monkeypatch.setattr(decode_bench, "load_model", _loaded)
    folder = tmp_path / "tiny"
    folder.mkdir()
    write_card(replace(tiny_card(), base=str(save_tiny_base(tmp_path / "base"))), folder)
    network = tiny_loaded().network
    save_file({"added_rows": network.added_rows.data, "move_rows": network.move_rows.data}, folder / ROWS_FILE)
    own, gold = write_label_set(tmp_path / "own.toml"), write_corpus(tmp_path / "gold.jsonl")
    named = {"--data": gold, "--label-set": own, "--model": folder, "--precision": "float32", "--skip": "encoders"}
    return ["bench", "decode", *(word for pair in named.items() for word in pair), "--generate-sentences", 4]


def _loaded(_: Path, *, precision: str) -> LoadedModel:
    assert precision == "float32"
    return tiny_loaded()


def test_json_has_the_promised_fields(bioner: Command, words: list[object]) -> None:
    """Catches a result that no script can rely on, or words among it."""
    done = bioner(*words, "--sentences", 6, "--batch", 4, "--json")
    found = json.loads(done.out)
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert set(PROMISED) <= set(found)
    assert all(found[name] > 0 for name in PROMISED)
    assert (found["identical"], found["sentences"], found["batch"]) == (1.0, 6, 4)
    assert found["machine"]["matrix_products_per_second"] > 0


def test_several_batches_are_all_reported(bioner: Command, words: list[object]) -> None:
    """Catches a batch size that is dropped, or top-level fields that depend on the order of the options."""
    found = json.loads(bioner(*words, "--sentences", 6, "--batch", 4, "--batch", 2, "--json").out)
    assert [one["batch"] for one in found["batches"]] == [2, 4]
    assert {name: found[name] for name in PROMISED} == {name: found["batches"][1][name] for name in PROMISED}


def test_people_get_a_table_and_a_chart(bioner: Command, words: list[object], tmp_path: Path) -> None:
    """Catches a figure that only machines are told."""
    chart = tmp_path / "bench.svg"
    done = bioner(*words, "--sentences", 4, "--batch", 4, "--chart", chart)
    assert done.code == 0
    for word in ("batch 4", "drafted", "reference", "HF generate", "passes per sentence", "100.00%", "F1"):
        assert word in done.out
    assert chart.read_text().startswith("<svg")


def test_another_shape_writes_the_tags_of_the_gold(bioner: Command, words: list[object], tmp_path: Path) -> None:
    """Catches options that do not reach the bench."""
    shape = tmp_path / "config.json"
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    shape.write_text(json.dumps({"model_type": "llama", **sizes}))
    options = ("--batch", 4, "--random-config", shape, "--skip", "generate", "--json")
    found = json.loads(bioner(*words, *options).out)
    assert (found["moves_from"], found["model"], found["sentences"]) == ("gold", str(shape), 20)
    assert found["spans_per_sentence"] == 8 / 5
    assert found["reference_s"] > 0
    assert "generate" not in found["contenders"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--batch", "0"), 2),
        (("--sentences", "0"), 2),
        (("--repeats", "0"), 2),
        (("--threads", "0"), 2),
        (("--skip", "floor"), 2),
        (("--moves", "mine"), 2),
        (("--precision", "int4"), 2),
        (("--random-config", "70b"), 2),
        (("--label-set", "nil"), 2),
        (("--chart", "nowhere/bench.svg"), 2),
        (("--chart", "bench.png"), 2),
        (("--model", "nope"), 2),
        (("--data", "nope.jsonl"), 2),
    ],
)
def test_mistakes_are_found_before_the_model_is_loaded(
    bioner: Command,
    words: list[object],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
) -> None:
    """Catches a minute of loading, or an hour of benching, that ends with a usage error."""
    monkeypatch.setattr(decode_bench, "load_model", None)
    done = bioner(*words, *options)
    assert (done.code, done.out) == (code, "")
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.err


def test_gold_types_that_the_label_set_lacks_are_named(
    bioner: Command, words: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an F1 against gold that can never match."""
    monkeypatch.setattr(decode_bench, "load_model", None)
    foreign = write_corpus(tmp_path / "foreign.jsonl", [("a b", ((0, 1, "DELTA"),))])
    done = bioner(*words, "--data", foreign)
    assert done.code == 2
    assert "DELTA" in done.err


@pytest.mark.slow
def test_the_pipeline_is_timed_and_leaves_no_store(bioner_process: Command, samples: list[Path]) -> None:
    """Catches a bench that loads a model, leaves gigabytes behind, or has no figure."""
    stores = Path(tempfile.gettempdir())
    before = set(stores.glob("bioner-bench-*"))
    done = bioner_process("bench", "pipeline", *samples, "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert found["documents_per_second"] == pytest.approx(found["annotated"] / found["seconds"], abs=0.01)
    assert found["sentences"] > 0
    assert set(stores.glob("bioner-bench-*")) <= before


@pytest.mark.slow
@pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`")
def test_the_default_model_is_benched(bioner_process: Command, tmp_path: Path) -> None:
    """Catches a bench that only the tiny model gets through, encoders and bfloat16 included."""
    try:
        model_folder()
    except ModelError as error:
        pytest.skip(str(error))
    gold = write_corpus(tmp_path / "gold.jsonl", [("CD28 binds the IL-2 gene.", ((0, 4, "protein"),))] * 4)
    words = ("bench", "decode", "--data", gold, "--label-set", "genia", "--batch", 2, "--json")
    found = json.loads(bioner_process(*words).out)
    assert set(PROMISED) <= set(found)
    assert {"gliner_encoder", "bert_tagger", "generate"} <= set(found["contenders"])
    assert found["encoder_parity"]["encoder"] in found["contenders"]
    assert found["sentences"] == 4


def test_the_help_tells_the_batches_that_are_timed_where_nobody_names_any(bioner: Command) -> None:
    """Catches a page of help that sends somebody with a GPU to time batches which are timed anyway."""
    usual, more = ", ".join(map(str, BATCHES)), set(GPU_BATCHES) - set(BATCHES)
    assert f"Default: {usual}; on a GPU also {more.pop()}." in " ".join(bioner("bench", "decode", "--help").out.split())
