"""Rows of tags that a model was not trained for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.models.unseen_tags import PART_WEIGHTS, TagMeaning, composed_rows, mixing_weights

TABLE = torch.eye(6)


def meaning(tag: str, *parts: tuple[int, ...]) -> TagMeaning:
    """A tag with these parts, the rest empty."""
    return TagMeaning(tag, (*parts, *([()] * (len(PART_WEIGHTS) - len(parts)))))


TRAINED = [meaning("gene", (0,)), meaning("cell line", (1, 2)), meaning("cell type", (1, 3))]


def test_the_same_name_takes_the_row_of_its_twin() -> None:
    """Catches weights that go to another tag, or that are so flat that no type opens any more."""
    weights = mixing_weights(TRAINED, [meaning("line of cells", (2, 1))], table=TABLE)
    assert weights.shape == (1, 3)
    assert weights[0, 1] > 0.99


def test_shared_words_bring_tags_nearer() -> None:
    """Catches a similarity that sees only whole names: `cell` is nearer to both cell tags than to genes."""
    gene, line, kind = mixing_weights(TRAINED, [meaning("cell", (1,))], table=TABLE)[0].tolist()
    assert line == pytest.approx(kind)
    assert gene < 0.01


def test_each_language_compares_with_its_own() -> None:
    """Catches a Chinese name that is compared with English ones."""
    trained = [meaning("a", (0,), (4,)), meaning("b", (1,), (5,))]
    weights = mixing_weights(trained, [meaning("c", (), (5,))], table=TABLE)
    assert weights[0].argmax() == 1


def test_a_definition_decides_where_names_do_not() -> None:
    """Catches definitions that are not read, or that outweigh an equal name."""
    trained = [meaning("a", (0,), (), (4,)), meaning("b", (1,), (), (5,))]
    assert mixing_weights(trained, [meaning("c", (2,), (), (5,))], table=TABLE)[0].argmax() == 1
    assert mixing_weights(trained, [meaning("d", (0,), (), (5,))], table=TABLE)[0, 0] > 0.9


@given(st.lists(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=4, max_size=4), min_size=1, max_size=4))
def test_weights_are_shares_whatever_the_words(parts: list[list[list[int]]]) -> None:
    """Catches a division by zero for a tag without words, and shares that do not sum to one."""
    unseen = [TagMeaning(str(n), tuple(tuple(part) for part in one)) for n, one in enumerate(parts)]
    for trained in (TRAINED, unseen):
        weights = mixing_weights(trained, unseen, table=TABLE)
        assert torch.allclose(weights.sum(dim=1), torch.ones(len(unseen)))
        assert (weights >= 0).all()


def test_rows_are_mixed_in_their_own_format() -> None:
    """Catches rows that come back in float32 for a bfloat16 model, and biases, which have no second axis."""
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 3.0]], dtype=torch.bfloat16)
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    mixed = composed_rows(rows, weights)
    assert mixed.dtype is torch.bfloat16
    assert mixed.tolist() == [[0.5, 0.5], [3.0, 3.0]]
    assert composed_rows(torch.tensor([2.0, 4.0, 6.0]), weights).tolist() == [3.0, 6.0]
    assert mixing_weights(TRAINED, [], table=TABLE).shape == (0, 3)
