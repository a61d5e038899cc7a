"""The finish fingerprint changes with all that makes mentions of candidates, and with nothing else."""

import pytest

from bioner_core.document_pass import settings
from bioner_core.document_pass.settings import FinishSettings


def test_what_is_accepted_is_in_the_fingerprint() -> None:
    """Catches a store that keeps mentions of another threshold, or of the pass that was switched off."""
    found = [
        FinishSettings.of({"genia": 0.5}),
        FinishSettings.of({"genia": 0.6}),
        FinishSettings.of({"cmeee": 0.5}),
        FinishSettings.of({"genia": 0.5}, document_pass=False),
        FinishSettings.of({}),
    ]
    assert len({one.fingerprint for one in found}) == len(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RULES_VERSION", "next"),
        ("WEIGHTS", (1.0,)),
        ("THRESHOLD", 0.7),
        ("ASSERTION_VERSION", "9"),
        ("SCHEMA_VERSION", 99),
    ],
)
def test_rules_weights_and_schema_are_in_the_fingerprint(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a changed rule that old stores never see."""
    before = FinishSettings.of({"genia": 0.5}).fingerprint
    monkeypatch.setattr(settings, name, value)
    assert FinishSettings.of({"genia": 0.5}).fingerprint != before


def test_the_order_of_label_sets_and_rules_that_do_not_run_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a store that is finished again for nothing."""
    one, other = {"genia": 0.5, "cmeee": 0.4}, {"cmeee": 0.4, "genia": 0.5}
    assert FinishSettings.of(one).fingerprint == FinishSettings.of(other).fingerprint
    before = FinishSettings.of(one, document_pass=False).fingerprint
    monkeypatch.setattr(settings, "WEIGHTS", (1.0,))
    assert FinishSettings.of(one, document_pass=False).fingerprint == before
