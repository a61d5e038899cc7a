"""Loading a base and its adapter: the numbers of float32, in the memory of the files."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.models import loading
from bioner_core.models.loading import device_of, stored_number_format


def write_base(folder: Path, *, dtype: torch.dtype, hidden: int = 64, layers: int = 2, shard: str = "5GB") -> Path:
    """A random base, in shards of a size."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=hidden,
        intermediate_size=hidden * 2,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).to(dtype).save_pretrained(folder, max_shard_size=shard)
    return folder


def write_adapter(folder: Path, base: Path) -> Path:
    """An adapter of the base, with changes in both matrices."""
    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"]))
    for name, value in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(value, std=0.05)
    adapted.save_pretrained(str(folder), safe_serialization=True)
    return folder


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16, torch.float32])
def test_a_base_held_as_stored_gives_the_numbers_of_float32(tmp_path: Path, stored: torch.dtype) -> None:
    """Would catch a merge whose steps are rounded one by one: other mentions from the same model and fingerprint."""
    base = write_base(tmp_path / "base", dtype=stored)
    adapter = write_adapter(tmp_path / "adapter", base)
    wide, narrow = (
        loading._merged_backbone(str(base), adapter, attention="eager", target=target).to(torch.bfloat16).state_dict()
        for target in (torch.float32, torch.bfloat16)
    )
    assert wide.keys() == narrow.keys()
    assert all(torch.equal(wide[name], narrow[name]) for name in wide)
    plain = LlamaForCausalLM.from_pretrained(base, dtype=torch.bfloat16).model.state_dict()
    assert any(not torch.equal(plain[name], narrow[name]) for name in narrow)


def test_the_stored_format_is_that_of_the_weights(tmp_path: Path) -> None:
    """Would catch a base whose settings promise less than its files hold, rounded before the adapter is added."""
    for stored in (torch.bfloat16, torch.float32):
        assert stored_number_format(write_base(tmp_path / str(stored), dtype=stored)) == stored
    assert stored_number_format(tmp_path) == torch.float32
    (tmp_path / "model.safetensors").write_bytes(b"no such thing")
    with pytest.raises(ModelError, match="files there anew"):
        stored_number_format(tmp_path)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "meta", "", "cpu"])
def test_a_device_is_one_that_there_is(name: str) -> None:
    """Would catch torch's own errors: a RuntimeError for a mistyped name, an AssertionError without a GPU."""
    if name in ("", "cpu"):
        assert device_of(name).type in ("cpu", "cuda")
        return
    with pytest.raises(ConfigurationError, match=f"device: '{name}'; choose cpu, cuda"):
        device_of(name)


def test_a_gpu_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch "Torch not compiled with CUDA enabled" as an AssertionError, after the base was read."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_of("cuda:0").index == 0
    for count, name in ((1, "cuda:1"), (0, "cuda")):
        monkeypatch.setattr(torch.cuda, "device_count", lambda count=count: count)
        with pytest.raises(ConfigurationError, match=f"device: '{name}', but torch sees {count} GPUs"):
            device_of(name)


_PEAK = """
import sys
from pathlib import Path
import torch
from bioner_core.models import loading
base, adapter, target = sys.argv[1:]
def load(base, adapter):
    return loading._merged_backbone(base, Path(adapter), attention="eager", target=getattr(torch, target))
warm = load(base + "-small", adapter + "-small")
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now on
def peak(): return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
before = peak()
made = load(base, adapter)
print(peak() - before)
"""


@pytest.mark.slow
def test_loading_takes_little_more_than_the_files(tmp_path: Path) -> None:
    """Would catch a base that is held whole in float32: 32 GB of host memory for each actor of an 8 B model."""
    for name, hidden in (("base-small", 64), ("base", 2048)):
        write_base(tmp_path / name, dtype=torch.bfloat16, hidden=hidden, layers=6, shard="60MB")
        write_adapter(tmp_path / name.replace("base", "adapter"), tmp_path / name)
    size = sum(path.stat().st_size for path in (tmp_path / "base").glob("*.safetensors"))
    assert len(list((tmp_path / "base").glob("*.safetensors"))) > 4
    peaks = {}
    for target in ("bfloat16", "float32"):
        arguments = [sys.executable, "-c", _PEAK, str(tmp_path / "base"), str(tmp_path / "adapter"), target]
        peaks[target] = int(subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=500).stdout)
    print(f"{size / 1e6:.0f} MB of files; peaks {peaks}")
    assert peaks["bfloat16"] < 1.5 * size
    assert peaks["float32"] > 1.8 * size
