"""The answers of the models that ship, kept: a change of code that changes them is seen here."""

import pytest

from devtools.answers import Answers, answers, differences, kept_answers

BFLOAT16_SHARE = 0.1
"""How much of the answers may differ between processors in bfloat16, where near ties flip."""


@pytest.mark.slow
@pytest.mark.parametrize("model", ["default", "smollm2"])
def test_a_model_answers_as_it_did(model: str) -> None:
    """Would catch a refactoring that changes mentions: prompts, folding, splitting, decoding, selector, document pass.

    After a change that is meant to change them: `python -m devtools.answers --model NAME --write`, and say so in
    CHANGELOG.
    """
    kept, found = kept_answers("float32", model=model), answers("float32", model=model)
    assert len(kept.lines) > 30
    assert not list(differences(kept, found))
    assert found.digest == kept.digest


@pytest.mark.slow
def test_bfloat16_answers_nearly_as_it_did() -> None:
    """Would catch a precision that computes something else, or float32 under another name."""
    kept, found = kept_answers("bfloat16"), answers("bfloat16")
    assert len(kept.lines) > 5
    assert len(list(differences(kept, found))) <= BFLOAT16_SHARE * len(kept.lines)


def test_what_is_gone_and_what_is_new_is_named() -> None:
    """Would catch a comparison that sees only additions, or that lines in another order pass."""
    kept, found = Answers("x", "float32", ("a", "b", "c")), Answers("x", "float32", ("a", "c", "d"))
    assert list(differences(kept, found)) == ["- b", "+ d"]
    assert not list(differences(kept, kept))
    assert Answers("x", "float32", ("a", "c", "b")).digest != kept.digest
