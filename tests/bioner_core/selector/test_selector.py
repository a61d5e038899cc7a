"""The contrastive space and the selector at work."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bioner_core.errors import ModelError
from bioner_core.models.directory import SELECTOR_FILE
from bioner_core.selector.selector import (
    ContrastiveSpace,
    Selector,
    info_nce,
    load_selector,
    save_selector,
    span_features,
)
from bioner_core.tagging.moves import CLOSE, COPY, open_move, tag_pairs
from tests.bioner_core.models.model_samples import CARD
from tests.bioner_core.tiny_model import tiny_model


def test_features_are_the_states_around_the_tags() -> None:
    """Would catch an off-by-one between moves and states, which would feed the selector its neighbours' states."""
    moves = [COPY, open_move(0), COPY, COPY, CLOSE, COPY]
    states = torch.arange(len(moves) + 1.0).unsqueeze(1)
    pairs = tag_pairs(moves, 4)
    assert span_features(states, pairs).tolist() == [[2.0, 4.0, 5.0]]


def test_info_nce_falls_as_gold_spans_near_their_types() -> None:
    """Would catch a loss that pulls wrong spans to their type, or that looks at other label sets' types."""
    tag, gold = torch.tensor([0, 0]), torch.tensor([True, False])
    rivals = torch.tensor([[True, True, False]] * 2)
    near = info_nce(torch.tensor([[5.0, 0.0, 99.0], [-5.0, 0.0, 0.0]]), tag, is_gold=gold, rivals=rivals)
    far = info_nce(torch.tensor([[0.0, 0.0, 99.0], [5.0, 0.0, 0.0]]), tag, is_gold=gold, rivals=rivals)
    assert near < 0.1 < far


def test_only_wrong_spans_of_its_own_type_push_a_gold_span_away() -> None:
    """Would catch a loss over the spans of other types, or over other gold spans; worked by hand."""
    tag, gold = torch.tensor([0, 1, 0, 1]), torch.tensor([True, True, False, False])
    rivals = torch.ones(4, 2, dtype=torch.bool)
    similarity = torch.tensor([[2.0, 0.5], [0.3, 1.5], [1.0, 7.0], [9.0, -1.0]])

    def spread(own: float, *others: float) -> float:
        return math.log(sum(math.exp(one) for one in (own, *others))) - own

    over_types = (spread(2.0, 0.5) + spread(1.5, 0.3)) / 2
    over_spans = (spread(2.0, 1.0) + spread(1.5, -1.0)) / 2
    assert float(info_nce(similarity, tag, is_gold=gold, rivals=rivals)) == pytest.approx(
        over_types + over_spans, abs=1e-5
    )


def test_similarity_is_a_scaled_cosine() -> None:
    """Would catch spans or types that count for their length, or a scale that divides."""
    torch.manual_seed(1)
    space = ContrastiveSpace(state_size=4, tag_count=3)
    features = torch.randn(5, 12)
    spans = space.outer(torch.nn.functional.gelu(space.inner(space.normalise(features))))
    cosines = torch.nn.functional.cosine_similarity(spans.unsqueeze(1), space.types.unsqueeze(0), dim=-1)
    torch.testing.assert_close(space(features), cosines * space.log_scale.exp(), atol=1e-4, rtol=1e-4)


def test_probabilities_are_one_a_span_and_in_order() -> None:
    """Would catch scores that depend on which other candidates are in the sentence."""
    torch.manual_seed(0)
    selector = Selector(state_size=4, tag_count=3).eval()
    features = torch.randn(5, 12)
    together = selector.probabilities(features, [0, 1, 2, 0, 1], tag_scores=[0.5] * 5)
    alone = [
        selector.probabilities(features[i : i + 1], [tag], tag_scores=[0.5])[0] for i, tag in enumerate([0, 1, 2, 0, 1])
    ]
    assert together == pytest.approx(alone, abs=1e-5)
    assert all(0.0 <= one <= 1.0 for one in together)


class _Loaded:
    """As much of a loaded model as the selector asks for."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self.network = tiny_model()
        self.card = replace(CARD, tags=tags, thresholds={})
        self.device = torch.device("cpu")


def test_a_selector_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Would catch a weight that is not stored, calibration included."""
    selector = Selector(tiny_model().hidden_size, 3)
    with torch.no_grad():
        selector.calibration.bias.fill_(0.7)
    save_selector(tmp_path, selector)
    loaded = load_selector(tmp_path, _Loaded(("a", "b", "c")))  # type: ignore[arg-type]
    assert loaded is not None
    for name, value in selector.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value)


def test_a_model_without_a_selector_has_none(tmp_path: Path) -> None:
    """Would catch an error where a plain model is fine."""
    assert load_selector(tmp_path, _Loaded(("a",))) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "limits", [{"thresholds": {"genia": 0.2}}, {"type_thresholds": {"a": 0.2}}, {"common_threshold": 0.2}]
)
def test_a_lost_selector_is_told(tmp_path: Path, limits: dict[str, Any]) -> None:
    """Would catch a model that accepts every candidate with the score 1 because a file was not copied."""
    loaded = _Loaded(("a",))
    loaded.card = replace(loaded.card, **limits)
    with pytest.raises(
        ModelError, match=r"selector\.safetensors is missing, and the card has thresholds.*--no-selector"
    ):
        load_selector(tmp_path, loaded)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"not safetensors"])
def test_a_damaged_selector_is_named(tmp_path: Path, content: bytes) -> None:
    """Would catch a stack trace of the reading library instead of the file's name."""
    (tmp_path / SELECTOR_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=SELECTOR_FILE):
        load_selector(tmp_path, _Loaded(("a",)))  # type: ignore[arg-type]


def test_a_selector_of_another_model_is_named(tmp_path: Path) -> None:
    """Would catch a selector whose types are not the model's."""
    save_selector(tmp_path, Selector(tiny_model().hidden_size, 3))
    with pytest.raises(ModelError, match="another model"):
        load_selector(tmp_path, _Loaded(("a", "b")))  # type: ignore[arg-type]
