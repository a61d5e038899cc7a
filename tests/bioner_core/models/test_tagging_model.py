"""The network's two ends: which row embeds an id, and which row scores a move."""

import torch

from bioner_core.tagging.moves import FIRST_OPEN
from tests.bioner_core.tiny_model import tiny_model


def test_ids_beyond_the_base_are_embedded_by_the_added_rows() -> None:
    """Would catch a tag that reads as a base token, or rows that are one off."""
    model = tiny_model()
    base = model.backbone.get_input_embeddings().weight  # type: ignore[operator]
    found = model.embed(torch.tensor([[0, 255, 256, 261]]))[0]
    assert torch.equal(found, torch.stack((base[0], base[255], model.added_rows[0], model.added_rows[5])))


def test_gradients_reach_only_the_rows_that_were_used() -> None:
    """Would catch an added row that learns from tokens that are not its own."""
    model = tiny_model()
    torch.autograd.backward(model.embed(torch.tensor([[7, 258]])).sum())
    assert model.added_rows.grad is not None
    assert model.added_rows.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [2]


def test_move_logits_take_the_rows_of_the_label_set_in_float32() -> None:
    """Would catch an opening move scored by another tag's row, or scores rounded to the model's type."""
    model = tiny_model()
    hidden = torch.randn(4, model.hidden_size)
    rows = [0, 1, FIRST_OPEN + 2, FIRST_OPEN + 0]
    found = model.move_logits(hidden, model.move_weights(torch.tensor([2, 0])))
    torch.testing.assert_close(found, hidden @ model.move_rows[rows].T + model.move_bias[rows])
    assert (
        model.bfloat16().move_logits(hidden.bfloat16(), model.move_weights(torch.tensor([2, 0]))).dtype == torch.float32
    )
