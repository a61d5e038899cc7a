"""Which number format `auto` stands for."""

from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.models import precision_choice, processor
from bioner_core.models.precision import PRECISIONS
from bioner_core.models.precision_choice import (
    LEAST_GAIN,
    PrecisionChoice,
    check_fast_here,
    choose_precision,
    processor_has_bfloat16,
    with_rates,
)


def on_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, line: str) -> None:
    """Let this machine's processor be one with these features."""
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: one\n{line}\n\nprocessor\t: 1\n", encoding="utf-8")
    monkeypatch.setattr(processor, "_CPU_INFO", info)
    monkeypatch.setattr(precision_choice.platform, "machine", lambda: machine)


def measured(monkeypatch: pytest.MonkeyPatch, **rates: float) -> Path:
    """A base whose products run at these rates here."""
    monkeypatch.setattr(precision_choice, "precision_rates", lambda _: rates)
    return Path("base")


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
def test_without_a_measurement_the_instructions_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, line: str, expected: str
) -> None:
    """Would catch bfloat16 on a processor that emulates it, eight times slower than float32."""
    on_processor(tmp_path, monkeypatch, machine, line)
    base = measured(monkeypatch)
    for found in (choose_precision(on_gpu=False), choose_precision(on_gpu=False, base=base)):
        assert (found.name, processor_has_bfloat16()) == (expected, expected == "bfloat16")
        assert "bfloat16 instructions" in found.in_words


def test_a_system_without_a_list_of_features_gets_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a crash, or a guess, on macOS and Windows."""
    monkeypatch.setattr(processor, "_CPU_INFO", tmp_path / "none")
    assert choose_precision(on_gpu=False).name == "float32"


@pytest.mark.parametrize(
    ("bfloat16", "expected"),
    [(9e9, "float32"), (64e9 * (LEAST_GAIN - 0.01), "float32"), (64e9 * (LEAST_GAIN + 0.01), "bfloat16")],
)
def test_what_was_measured_decides_and_little_differences_go_to_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bfloat16: float, expected: str
) -> None:
    """Would catch an instruction's name that outweighs the clock (it is there, and slow), and a precision with fewer
    digits taken for a gain within the noise of a measurement."""
    on_processor(tmp_path, monkeypatch, "x86_64", "flags\t\t: avx2 avx512_bf16")
    found = choose_precision(on_gpu=False, base=measured(monkeypatch, float32=64e9, bfloat16=bfloat16))
    assert found.name == expected
    assert "float32 64" in found.reason


def test_int8_is_taken_only_where_the_card_shows_that_it_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a default that changes mentions of a model because it is faster, and says nothing of it."""
    base = measured(monkeypatch, float32=64e9, bfloat16=9e9, int8=130e9)
    found = choose_precision(on_gpu=False, base=base)
    assert found.name == "float32"
    assert "int8 130" in found.reason
    assert "int8 is not taken: the card of this model does not show" in found.reason
    assert found.slower_than == ""  # twice as fast, and no advice
    assert choose_precision(on_gpu=False, base=base, int8_is_good=True).name == "int8"


def test_int8_is_refused_on_a_gpu() -> None:
    """Would catch a model that is moved to a GPU whose products then fail one by one."""
    with pytest.raises(ConfigurationError, match="int8 is for processors"):
        choose_precision("int8", on_gpu=True)


def test_a_gpu_gets_bfloat16_and_a_name_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch the processor deciding for the GPU, and `auto` overruling what was asked for."""
    base = measured(monkeypatch, float32=64e9, bfloat16=9e9)
    assert choose_precision(on_gpu=True, base=base).name == "bfloat16"
    assert [choose_precision(name, on_gpu=False, base=base).in_words for name in PRECISIONS] == list(PRECISIONS)


def test_a_precision_that_is_slow_here_names_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a store's bfloat16 that runs at a seventh of the speed on this machine without a word."""
    base = measured(monkeypatch, float32=64e9, bfloat16=9e9)
    slow, fast = PrecisionChoice("bfloat16"), PrecisionChoice("float32")
    assert with_rates(slow, on_gpu=False, base=base).slower_than == "float32"
    assert with_rates(fast, on_gpu=False, base=base).slower_than == ""
    assert with_rates(slow, on_gpu=True, base=base).slower_than == ""


def test_a_machine_that_would_hold_up_the_others_refuses_and_names_both_precisions() -> None:
    """Would catch one old machine of a pool that computes the launcher's bfloat16 at a seventh of its speed."""
    rates = {"float32": 64e9, "bfloat16": 9e9}
    with pytest.raises(ConfigurationError, match=r"precision bfloat16 was chosen on a newer one, but on .* float32 is"):
        check_fast_here(PrecisionChoice("bfloat16", rates=rates), launched_on="a newer one")
    check_fast_here(PrecisionChoice("float32", rates=rates), launched_on="a newer one")
    check_fast_here(PrecisionChoice("bfloat16"), launched_on="a newer one")
