"""Which number format `auto` stands for."""

from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.models import precision
from bioner_core.models.precision import (
    AUTO,
    PRECISIONS,
    check_precision,
    choose_precision,
    number_format,
    processor_has_bfloat16,
)
from bioner_core.training.settings import CorpusMix, SftSettings


def on_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, line: str) -> None:
    """Let this machine's processor be one with these features."""
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: one\n{line}\n\nprocessor\t: 1\n", encoding="utf-8")
    monkeypatch.setattr(precision, "_CPU_INFO", info)
    monkeypatch.setattr(precision.platform, "machine", lambda: machine)


@pytest.mark.parametrize(
    ("machine", "line", "expected"),
    [
        ("x86_64", "flags\t\t: fpu avx2 avx512f avx512_bf16", "bfloat16"),
        ("x86_64", "flags\t\t: fpu avx2 amx_bf16", "bfloat16"),
        ("x86_64", "flags\t\t: fpu avx2 fma", "float32"),
        ("x86_64", "flags\t\t: fpu avx2 avx512f avx512_vnni", "float32"),
        ("aarch64", "Features\t: fp asimd bf16", "bfloat16"),
        ("aarch64", "Features\t: fp asimd", "float32"),
        ("AMD64", "", "float32"),
    ],
)
def test_auto_is_what_the_processor_multiplies_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, line: str, expected: str
) -> None:
    """Would catch bfloat16 on a processor that emulates it, eight times slower than float32."""
    on_processor(tmp_path, monkeypatch, machine, line)
    found = choose_precision(on_gpu=False)
    assert (found.name, processor_has_bfloat16()) == (expected, expected == "bfloat16")
    assert "bfloat16 instructions" in found.in_words


def test_a_system_without_a_list_of_features_gets_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a crash, or a guess, on macOS and Windows."""
    monkeypatch.setattr(precision, "_CPU_INFO", tmp_path / "none")
    assert choose_precision(on_gpu=False).name == "float32"


def test_a_gpu_gets_bfloat16_and_a_name_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch the processor deciding for the GPU, and `auto` overruling what was asked for."""
    on_processor(tmp_path, monkeypatch, "x86_64", "flags\t\t: avx2")
    assert choose_precision(on_gpu=True).name == "bfloat16"
    assert [choose_precision(name, on_gpu=False).in_words for name in PRECISIONS] == list(PRECISIONS)


def test_an_unknown_precision_is_refused_with_all_names() -> None:
    """Would catch a format that passes the first check and fails at the first tensor."""
    with pytest.raises(ConfigurationError, match="precision: 'int4'; choose from auto, bfloat16, float32"):
        check_precision("int4")
    with pytest.raises(ConfigurationError, match="precision: 'auto'; choose from bfloat16, float32"):
        number_format(AUTO)


def test_training_chooses_like_annotation() -> None:
    """Would catch a training run that is bfloat16 unless told otherwise, on any processor."""
    assert SftSettings(corpora=(CorpusMix("f", "genia"),)).precision == AUTO
