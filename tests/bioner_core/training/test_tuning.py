"""Kinds of tuning: which weights learn, how they are saved, and what is refused where it cannot run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import LlamaForCausalLM
from transformers.pytorch_utils import Conv1D

from bioner_core.errors import ConfigurationError
from bioner_core.models.loading import load_model
from bioner_core.training import tuning
from bioner_core.training.settings import Tuning
from bioner_core.training.sft import SftRun
from bioner_core.training.tuning import check_four_bits, four_bits, linear_modules, weight_modules
from tests.bioner_core.tiny_model import tiny_config
from tests.bioner_core.training.training_samples import tiny_settings


def hidden_states(network: Any) -> torch.Tensor:
    """What a network makes of a few tokens, added ones among them."""
    ids = torch.tensor([[5, 257, 260, 40]])
    with torch.no_grad():
        found: torch.Tensor = network(
            ids, attention_mask=torch.ones_like(ids), position_ids=torch.arange(4)[None], cache=None
        )
    return found


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_full_tuning_moves_every_weight_and_loads_as_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    """Would catch weights that are trained and not saved, or saved and not loaded."""
    chosen = {"tuning": Tuning.FULL, "precision": precision, "learning_rate": 0.003}
    run = SftRun(tiny_settings(tmp_path, monkeypatch, **chosen), tmp_path / "run", log=lambda _: None)
    trained = {name: one for name, one in run.trainable.model.named_parameters() if one.requires_grad}
    before = {name: one.detach().clone() for name, one in trained.items()}
    assert len(trained) == len(list(LlamaForCausalLM(tiny_config()).base_model.parameters())) + 5
    run.train()
    assert [name for name, one in trained.items() if torch.equal(one, before[name])] == []
    loaded = load_model(tmp_path / "run", device="cpu", precision="float32")
    ours, theirs = hidden_states(loaded.network), hidden_states(run.trainable.model.float())
    assert float((ours - theirs).abs().max()) < (2e-3 if precision == "float32" else 2e-2)


def test_the_base_stays_as_it_is_under_full_tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a base whose own weights move: the saved difference would then be to something else."""
    settings = tiny_settings(tmp_path, monkeypatch, tuning=Tuning.FULL)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    frozen = {name: one for name, one in run.trainable.adapted.named_parameters() if "original_module" in name}
    before = {name: one.detach().clone() for name, one in frozen.items()}
    run.train()
    assert before
    assert all(torch.equal(one, before[name]) for name, one in frozen.items())


def test_float32_trains_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a setting of the number format that nothing reads."""
    run = SftRun(tiny_settings(tmp_path, monkeypatch, precision="float32"), tmp_path / "run", log=lambda _: None)
    assert {one.dtype for one in run.trainable.model.parameters()} == {torch.float32}
    run = SftRun(tiny_settings(tmp_path, monkeypatch, precision="bfloat16"), tmp_path / "other", log=lambda _: None)
    assert {one.dtype for one in run.trainable.model.backbone.parameters()} == {torch.bfloat16}


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without CUDA")
def test_four_bits_without_cuda_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a traceback from the depths of another library, after a long load."""
    with pytest.raises(ConfigurationError, match=r'"qlora" needs an NVIDIA GPU .* choose "lora"'):
        SftRun(tiny_settings(tmp_path, monkeypatch, tuning=Tuning.QLORA), tmp_path / "run", log=lambda _: None)


def test_four_bits_without_their_library_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an ImportError that names a package but not how to get it."""
    monkeypatch.setattr(tuning.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install -e '\.\[qlora\]'"):
        check_four_bits(torch.device("cuda"))


def test_four_bits_are_nf4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch another quantisation than the one that the recipes name."""
    pytest.importorskip("bitsandbytes")
    found = four_bits(tiny_settings(tmp_path, monkeypatch, tuning=Tuning.QLORA), torch.device("cuda"))
    assert (found.load_in_4bit, found.bnb_4bit_quant_type, found.bnb_4bit_use_double_quant) == (True, "nf4", True)
    assert found.bnb_4bit_compute_dtype is torch.bfloat16


def test_lora_stands_beside_all_linear_layers_of_a_llama() -> None:
    """Would catch an adapter that leaves layers out, or one beside the head."""
    backbone = LlamaForCausalLM(tiny_config()).base_model
    attention, feed = ["k_proj", "o_proj", "q_proj", "v_proj"], ["down_proj", "gate_proj", "up_proj"]
    assert linear_modules(backbone) == sorted(attention + feed)
    norms = ["embed_tokens", "input_layernorm", "norm", "post_attention_layernorm"]
    assert weight_modules(backbone) == sorted(attention + feed + norms)


def test_linear_layers_of_other_kinds_count_and_none_is_an_error() -> None:
    """Would catch GPT-2's transposed layers left out, or an adapter without any effect."""
    assert linear_modules(nn.ModuleDict({"c_attn": Conv1D(3, 3), "norm": nn.LayerNorm(3)})) == ["c_attn"]
    with pytest.raises(ConfigurationError, match="no linear layers"):
        linear_modules(nn.ModuleDict({"norm": nn.LayerNorm(3)}))
