"""The keys under which names are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.concepts.name_keys import BROAD, EXACT, WORDS, name_keys


@pytest.mark.parametrize(
    ("name", "other", "kind"),
    [
        ("MK-801", "MK801", EXACT),
        ("α-tocopherol", "alpha-tocopherol", EXACT),
        ("Parkinson's disease", "Parkinson disease", EXACT),
        ("oedema", "edema", EXACT),
        ("leukaemia", "leukemia", EXACT),
        ("ＡＢＣ－１", "ABC-1", EXACT),
        ("腎衰竭", "肾衰竭", EXACT),
        ("Failure, Kidney", "kidney failures", WORDS),
        ("cancer of the liver", "Liver Neoplasms", BROAD),
        ("hypertensive", "hypertension", BROAD),
        ("morphine hydrochloride", "morphine", BROAD),
        ("valproate", "Valproic Acid", BROAD),
    ],
)
def test_forms_of_one_name_share_a_key(name: str, other: str, kind: int) -> None:
    """Catches a spelling, script, word order or salt that hides a name, and a key that is looser than it need be."""
    assert name_keys(name)[kind] == name_keys(other)[kind]
    assert all(name_keys(name)[below] != name_keys(other)[below] for below in range(kind))


@pytest.mark.parametrize(
    ("name", "other"),
    [("gentamicin", "gentamicin A"), ("vitamin B 12", "vitamin B 6"), ("sodium chloride", "potassium chloride")],
)
def test_other_substances_share_no_key(name: str, other: str) -> None:
    """Catches a rule that throws away the one word that tells two substances apart."""
    assert not set(name_keys(name)) & set(name_keys(other))


@given(st.text(max_size=60))
def test_any_text_has_keys_or_none(text: str) -> None:
    """Catches a text that breaks the keys, and an empty key, under which everything would be found."""
    assert all(name_keys(text))
