"""The conversion of the base model, with a network that is made on the spot in place of a GGUF file."""

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from bioner_core.models import base_model
from tests.bioner_core.tiny_model import byte_level_tokenizer, tiny_config


class FullDiskModel:
    """Stands in for a network that cannot be saved."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.hf_quantizer: object = object()
        self.config = SimpleNamespace(quantization_config={})

    def to(self, _: torch.dtype) -> "FullDiskModel":
        """Itself."""
        return self

    def save_pretrained(self, _: str) -> None:
        """What safetensors says when the disk is full."""
        raise SafetensorError(self.message)


def use_models(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    """Let transformers read this model, and the byte-level tokenizer, from any GGUF file."""
    for loader, found in ((AutoModelForCausalLM, model), (AutoTokenizer, byte_level_tokenizer())):
        monkeypatch.setattr(loader, "from_pretrained", lambda *_, found=found, **__: found)


def test_the_converted_base_is_plain_safetensors_in_bfloat16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a base that still claims to be quantised, or that takes twice the space."""
    model = LlamaForCausalLM(tiny_config())
    model.config.quantization_config = {"quant_method": "gguf"}
    use_models(monkeypatch, model)
    folder = base_model._convert(tmp_path / "model.gguf", tmp_path / "converted")
    tensors = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert "quantization_config" not in (folder / "config.json").read_text(encoding="utf-8")
    assert (folder / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Error while serializing: I/O error: No space left on device (os error 28)", errno.ENOSPC),
        ("Error while serializing: something else", errno.EIO),
    ],
)
def test_a_full_disk_while_converting_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, number: int
) -> None:
    """Would catch safetensors' own error, which no one handles, in place of the message about disk space."""
    use_models(monkeypatch, FullDiskModel(message))
    with pytest.raises(OSError, match="serializing") as caught:
        base_model._convert(tmp_path / "model.gguf", tmp_path / "converted")
    assert caught.value.errno == number
