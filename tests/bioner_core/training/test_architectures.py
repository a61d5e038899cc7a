"""Other causal language models as the base: fine-tune, load, decode and evaluate, in small."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    Glm4Config,
    Glm4ForCausalLM,
    GlmConfig,
    GlmForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from bioner_core.inference.annotator import load_annotator
from bioner_core.models.int8 import int8_is_possible
from bioner_core.models.model_card import read_card
from bioner_core.training import tuning
from bioner_core.training.development import development_sets, evaluate_sets
from bioner_core.training.settings import CorpusMix, SftSettings, Tuning
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import byte_level_tokenizer
from tests.bioner_core.training.training_samples import SENTENCES, write_corpus, write_label_set

pytestmark = pytest.mark.slow

ARCHITECTURES: dict[str, tuple[type[Any], type[Any]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    "glm": (GlmConfig, GlmForCausalLM),
    "glm4": (Glm4Config, Glm4ForCausalLM),
}


def save_base(folder: Path, name: str) -> Path:
    """Write a random model of an architecture, with weights in safetensors and a tokenizer over bytes."""
    torch.manual_seed(4)
    config, model = ARCHITECTURES[name]
    sizes = {"vocab_size": 256, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    model(
        config(**sizes, **heads, max_position_embeddings=2048, initializer_range=0.2, pad_token_id=0)
    ).save_pretrained(str(folder))
    byte_level_tokenizer().save_pretrained(str(folder))
    return folder


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., SftSettings]:
    """Settings of a short run from a local folder with a base."""

    def make(name: str, **changes: Any) -> SftSettings:
        corpus = write_corpus(tmp_path / "corpus.jsonl", SENTENCES * 4)
        own = write_label_set(tmp_path / "own.toml")
        chosen: dict[str, Any] = {
            "corpora": (CorpusMix(str(corpus), str(own)),),
            # Learned by heart, and asked for: what is tested is that all parts fit together.
            "development": {str(own): str(write_corpus(tmp_path / "development.jsonl", SENTENCES))},
            "base": str(save_base(tmp_path / "base", name)),
            "max_tokens": 14_000,
            "varied_prompts": 0.0,
            "definition_rank": 8,
            "max_minutes": 1e6,
            "batch_tokens": 400,
            "learning_rate": 0.01,
            "lora_rank": 4,
            "rare_character": 2,
            "checkpoint_steps": 10,
        }
        return SftSettings(**(chosen | changes))

    return make


@pytest.mark.parametrize("kind", [Tuning.LORA, Tuning.FULL])
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_a_base_of_each_architecture_goes_all_the_way(
    tmp_path: Path, settings_of: Callable[..., SftSettings], name: str, kind: Tuning
) -> None:
    """Would catch an architecture whose layers get no adapter, whose cache differs, or that decodes at random."""
    settings = settings_of(name, tuning=kind, gradient_checkpointing=name == "glm4")
    SftRun(settings, tmp_path / "run", log=lambda _: None).train()
    assert read_card(tmp_path / "run").base == settings.base
    sets = development_sets(settings)
    scores = []
    for decoder in ("drafted", "reference"):
        annotator = load_annotator(
            [sets[0].label_set],
            model=str(tmp_path / "run"),
            precision="float32",
            use_selector=False,
            device="cpu",
            decoder=decoder,
        )
        found = evaluate_sets(annotator, sets)["tiny"]
        assert (found.sentences, found.failed_sentences) == (5, 0)
        scores.append(found.evaluation)
    assert scores[0].strict.f1 > 0.6
    assert scores[0] == scores[1]
    if int8_is_possible():
        in_int8 = load_annotator(
            [sets[0].label_set], model=str(tmp_path / "run"), precision="int8", use_selector=False, device="cpu"
        )
        assert in_int8.number_format == "int8"
        assert in_int8.fingerprint != annotator.fingerprint
        assert evaluate_sets(in_int8, sets)["tiny"].evaluation.strict.f1 > 0.6


@pytest.mark.parametrize("name", ["glm4", "qwen3"])
def test_a_base_in_four_bits_goes_all_the_way(
    tmp_path: Path, settings_of: Callable[..., SftSettings], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Would catch a quantised base that moves, that cannot be decoded in training, or an adapter that does not load."""
    bitsandbytes = pytest.importorskip("bitsandbytes", reason="needs bitsandbytes: pip install -e '.[qlora]'")
    # The library also computes on a CPU, slowly: enough for a model of this size.
    monkeypatch.setattr(tuning, "check_four_bits", lambda _: None)
    settings = settings_of(name, tuning=Tuning.QLORA, gradient_checkpointing=True, evaluate_steps=50, lora_rank=8)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    layers = [one for one in run.trainable.model.modules() if type(one) is bitsandbytes.nn.Linear4bit]
    assert len(layers) == len(run.trainable.adapter_parameters) / 2
    before = [one.weight.detach().clone() for one in layers]
    run.train()
    assert all(torch.equal(one.weight, kept) for one, kept in zip(layers, before, strict=True))
    assert read_card(tmp_path / "run").metrics["development in training"]["f1"] > 0.6
    annotator = load_annotator(
        [development_sets(settings)[0].label_set], model=str(tmp_path / "run"), use_selector=False, device="cpu"
    )
    assert evaluate_sets(annotator, development_sets(settings))["tiny"].failed_sentences == 0
