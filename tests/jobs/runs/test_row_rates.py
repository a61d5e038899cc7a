"""What is known of how fast a model works here."""

import json
from pathlib import Path

import pytest

from bioner_core.models import precision_choice
from bioner_core.models.precision_choice import PrecisionChoice
from jobs.runs.row_rates import GPU_ROWS_PER_SECOND, LEAST_ROWS, guessed_rate, keep_rate, kept_rate, rate_key
from pipelines.pool.pool_settings import PoolSettings


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))


def test_the_rate_of_a_run_is_known_to_the_next() -> None:
    """Catches shards that stay those of a first guess, and the rate of another model or of more actors."""
    key = rate_key("model", PoolSettings(actors=2))
    assert kept_rate(key) is None
    keep_rate(key, rows=1000, seconds=50.0)
    assert kept_rate(rate_key("model", PoolSettings(actors=2))) == 20.0
    others = [rate_key("model", PoolSettings()), rate_key("other", PoolSettings(actors=2))]
    assert [kept_rate(one) for one in (*others, rate_key("model", PoolSettings(actors=2), pool="gpus"))] == [None] * 3


@pytest.mark.parametrize(("rows", "seconds"), [(LEAST_ROWS - 1, 1.0), (0, 1.0), (1000, 0.0)])
def test_a_run_of_nothing_says_nothing(rows: int, seconds: float) -> None:
    """Catches a run of two rows, its start included, that makes shards of one record for all later ones."""
    keep_rate(rate_key("model", PoolSettings()), rows=rows, seconds=seconds)
    assert kept_rate(rate_key("model", PoolSettings())) is None


@pytest.mark.parametrize("content", ["", "[]", '{"rows_per_second": 0}', '{"rows_per_second": "x"}'])
def test_a_damaged_note_is_none(content: str, tmp_path: Path) -> None:
    """Catches a half-written note that stops every run, or cuts shards of no rows."""
    keep_rate(rate_key("model", PoolSettings()), rows=1000, seconds=50.0)
    next((tmp_path / "cache").rglob("*.json")).write_text(content, encoding="utf-8")
    assert kept_rate(rate_key("model", PoolSettings())) is None


def test_the_first_guess_follows_size_and_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a guess that is the same for a model of 100 million weights and for one of a billion."""
    monkeypatch.setattr(precision_choice, "precision_rates", lambda _: {"float32": 64e9, "bfloat16": 8e9})
    small, large = tmp_path / "small", tmp_path / "large"
    for folder, layers in ((small, 2), (large, 20)):
        folder.mkdir()
        config = {"hidden_size": 64, "num_attention_heads": 2, "num_hidden_layers": layers}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    fast, slow = PrecisionChoice("float32"), PrecisionChoice("bfloat16")
    assert guessed_rate(fast, small, gpus=0) == pytest.approx(10 * guessed_rate(fast, large, gpus=0))
    assert guessed_rate(fast, small, gpus=0) == pytest.approx(8 * guessed_rate(slow, small, gpus=0))
    assert guessed_rate(fast, None, gpus=0) == 1.0
    assert guessed_rate(fast, small, gpus=2.5) == 2.5 * GPU_ROWS_PER_SECOND
