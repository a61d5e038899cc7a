"""Agreement of two sides, against numbers worked out by hand."""

import pytest

from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Span
from bioner_core.review.agreement import agreement

TEXT = "Iron eased pain of rats now"


def record(*spans: Span) -> GoldRecord:
    """A record with these spans."""
    return GoldRecord("a", "en", TEXT, frozenset(spans))


def test_kappa_and_f1_by_hand() -> None:
    """Catches kappa over characters, or over entities: six tokens, of which both mark one and each marks one alone."""
    model = record(Span(0, 4, "drug"), Span(5, 10, "drug"))
    curator = record(Span(0, 4, "drug"), Span(11, 15, "drug"))
    found = agreement([(model, curator)])
    assert (found.tokens, found.changed, found.strict.f1) == (6, 1, 0.5)
    observed, expected = 4 / 6, (2 * 2 + 4 * 4) / 36
    assert found.kappa == pytest.approx((observed - expected) / (1 - expected))
    assert found.kappa_by_type["drug"] == found.kappa


def test_a_token_beside_a_span_is_not_inside_it() -> None:
    """Catches a token that ends where a span begins, as in names with hyphens and digits."""
    text = "IL-2 binds"
    model, curator = (
        GoldRecord("a", "en", text, frozenset({Span(start, 4, "protein")})) for start in (3, 0)
    )  # fmt: skip
    found = agreement([(model, curator)])
    assert found.tokens == 4
    assert found.kappa == pytest.approx((1 / 2 - 6 / 16) / (10 / 16))


def test_a_type_that_only_one_side_has() -> None:
    """Catches a division by zero, and a type that counts for another one's kappa."""
    found = agreement([(record(Span(0, 4, "drug")), record(Span(0, 4, "metal")))])
    assert (found.kappa, found.strict.f1) == (1.0, 0.0)
    assert found.kappa_by_type == {"drug": 0.0, "metal": 0.0}
    assert agreement([(record(), record())]).kappa is None
    assert agreement([]).kappa is None
    whole = record(Span(0, len(TEXT), "text"))
    assert agreement([(whole, whole)]).kappa is None
    assert agreement([(whole, whole)]).changed == 0
