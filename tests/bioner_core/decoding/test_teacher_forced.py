"""States of copies that are already known."""

import pytest
import torch

from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.teacher_forced import teacher_forced_states
from bioner_core.tagging.moves import COPY
from tests.bioner_core.tiny_model import row_of, tiny_label_set, tiny_model


@pytest.mark.parametrize("decoder_class", [ReferenceDecoder, DraftedDecoder])
def test_they_are_those_of_the_decoders(decoder_class: type[ReferenceDecoder] | type[DraftedDecoder]) -> None:
    """Would catch a selector that is trained on other states than it later sees, by a column or by a row."""
    model = tiny_model()
    rows = [row_of(text) for text in ("IL-2 gene", "肺病 and NF-kappa B, 12 x", "IL-2 gene")]
    decoded = decoder_class(model).decode(rows, tiny_label_set())
    assert any(move != COPY for one in decoded for move in one.moves), "the model never tags: the test is blind"
    forced = teacher_forced_states(
        PromptCaches(model), rows, moves=[one.moves for one in decoded], label_set=tiny_label_set()
    )
    for one, states in zip(decoded, forced, strict=True):
        torch.testing.assert_close(one.states, states, atol=1e-3, rtol=1e-3)
