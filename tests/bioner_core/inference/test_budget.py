"""From sizes of a model and bytes of memory to batch limits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import ConfigurationError
from bioner_core.inference.batching import TOKENS_PER_ROW, BatchLimits
from bioner_core.inference.budget import ONCE_BYTES, Footprint, MemoryLimit, batch_bytes, limits_for

SMALL = Footprint(
    layers=30,
    heads=9,
    key_heads=3,
    head_size=64,
    hidden=576,
    feed_forward=1536,
    number_bytes=2,
    prompt=80,
    lines=1,
    window=16,
    tokens_per_estimate=1.0,
)
FOOTPRINTS = st.builds(
    replace,
    st.just(SMALL),
    layers=st.integers(1, 80),
    heads=st.integers(1, 64),
    key_heads=st.integers(1, 16),
    hidden=st.integers(16, 8192),
    number_bytes=st.sampled_from([2, 4]),
    prompt=st.integers(1, 3000),
    lines=st.integers(1, 20),
    window=st.sampled_from([16, 256]),
    tokens_per_estimate=st.floats(0.5, 3.0),
)


@given(FOOTPRINTS, st.floats(1e6, 1e12), st.integers(200, 1000), st.integers(64, 65536))
def test_every_allowed_batch_fits(footprint: Footprint, memory: float, longest: int, most: int) -> None:
    """A budget that counts tokens alone: many short rows then die of their prompts, or a long one of its attention."""
    limits = limits_for(footprint, memory, longest=longest, most_tokens=most)
    if limits == BatchLimits.of_budget(TOKENS_PER_ROW):
        return  # one row per batch: nothing smaller can be tried
    for length in {1, TOKENS_PER_ROW, 100, 200, longest}:
        rows = min(limits.max_rows, limits.token_budget // length)
        assert batch_bytes(footprint, rows=rows, longest=length) <= memory


@given(FOOTPRINTS, st.floats(0, 1e12), st.integers(64, 65536))
def test_limits_grow_with_memory_up_to_what_is_useful(footprint: Footprint, memory: float, most: int) -> None:
    """A larger machine that gets smaller batches, a budget above the cap, or one of nothing."""
    less = limits_for(footprint, memory, longest=512, most_tokens=most)
    more = limits_for(footprint, 2 * memory, longest=512, most_tokens=most)
    assert 1 <= less.max_rows <= more.max_rows
    assert TOKENS_PER_ROW <= less.token_budget <= more.token_budget <= most


def test_a_little_more_memory_makes_the_same_batches() -> None:
    """Batches, and in bfloat16 a rare answer, that change with whatever else runs on the machine."""
    sizes = {limits_for(SMALL, memory, longest=512, most_tokens=4096) for memory in (1.35e9, 1.4e9, 1.45e9)}
    assert sizes == {BatchLimits(4096, 64)}


@pytest.mark.parametrize("field", ["layers", "heads", "key_heads", "hidden", "feed_forward", "number_bytes", "prompt"])
def test_a_larger_model_takes_more(field: str) -> None:
    """A size of the model that is left out of the sum."""
    larger = replace(SMALL, **{field: 2 * getattr(SMALL, field)})
    assert larger.row_bytes(200) > SMALL.row_bytes(200)


def test_several_copies_of_a_sentence_take_several_times_the_cache() -> None:
    """The `lines` scheme, a row for each type, reckoned as one row per sentence."""
    assert replace(SMALL, lines=5).row_bytes(64) > 4 * SMALL.row_bytes(64) * 0.7


def test_the_sum_is_that_of_the_default_model_by_hand() -> None:
    """A unit lost: bits for bytes, or one layer for all."""
    keys_and_values = 2 * (80 + 225 + 48) * 30 * 3 * 64 * 2 * 2
    scores = 124 * 204 * 9 * 12
    assert SMALL.row_bytes(100) == keys_and_values + scores + 124 * (3 * 1536 + 8 * 576) * 2
    assert batch_bytes(SMALL, rows=2, longest=100) == ONCE_BYTES + 2 * SMALL.row_bytes(100)


@pytest.mark.parametrize("values", [{"cap": 0}, {"share": 0.0}, {"share": 1.5}, {"share": float("nan")}])
def test_wishes_that_make_no_sense_are_refused(values: dict[str, float]) -> None:
    """A cap of nothing that is found out in each actor, after its model was loaded."""
    with pytest.raises(ConfigurationError, match=r"memory cap|share"):
        MemoryLimit(**values)  # type: ignore[arg-type]
