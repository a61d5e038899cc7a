"""The fused kernel of ragged passes computes what the plain one does."""

import pytest
import torch

from bioner_core.models.attention import RaggedLayout, grouped_attention

_ROWS, _WIDTH, _SLOTS, _SIZE = 3, 4, 9, 8


def layout() -> RaggedLayout:
    """Three rows with four, two and one new tokens behind what they have read; the rest is padding."""
    counts, starts = [4, 2, 1], [5, 3, 0]
    row = torch.tensor([one for one, count in enumerate(counts) for _ in range(count)])
    column = torch.tensor([column for count in counts for column in range(count)])
    steps = torch.arange(_WIDTH)
    added, start = torch.tensor(counts).unsqueeze(1), torch.tensor(starts).unsqueeze(1)
    position = torch.where(steps < added, start + steps, 0)
    hidden = torch.arange(_SLOTS) > position.unsqueeze(-1)
    mask = torch.zeros(hidden.shape).masked_fill_(hidden, float("-inf")).unsqueeze(1)
    return RaggedLayout(row, row * _WIDTH + column, mask, position)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize(("heads", "key_heads"), [(6, 2), (4, 4), (4, 1)])
def test_fused_and_plain_attention_agree(heads: int, key_heads: int, window: int | None) -> None:
    """Would catch query heads laid beside the wrong keys, a mask that is another head's, and a window that is lost."""
    torch.manual_seed(5)
    ragged = layout()
    query = torch.randn(1, heads, len(ragged.row), _SIZE)
    key, value = (torch.randn(_ROWS, key_heads, _SLOTS, _SIZE) for _ in range(2))
    module = torch.nn.Module().eval()
    fused, _ = grouped_attention(module, query, key, value, None, sliding_window=window, ragged=ragged)
    query.requires_grad_(True)  # the plain way, which can be learnt through
    plain, _ = grouped_attention(module, query, key, value, None, sliding_window=window, ragged=ragged)
    assert fused.shape == (1, len(ragged.row), heads, _SIZE)
    torch.testing.assert_close(fused, plain.detach(), rtol=1e-5, atol=1e-6)
