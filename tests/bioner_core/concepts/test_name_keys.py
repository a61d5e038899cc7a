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
        ("PKCι", "PKC-iota", EXACT),
        ("GABA ρ1", "GABA rho 1", EXACT),
        ("Υ-ξ-ν-ο", "upsilon xi nu omicron", EXACT),
        ("ɑ-synuclein", "alpha-synuclein", EXACT),
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
    ("name", "exact"),
    [
        ("oedema", "edema"),
        ("oestrogen", "estrogen"),
        ("angioedema", "angioedema"),
        ("angio-oedema", "angioedema"),
        ("lymphoedema", "lymphedema"),
        ("angiooedema", "angioedema"),
        ("diarrhoea", "diarrhea"),
        ("hydroelectric", "hydroelectric"),
        ("phaeochromocytoma", "phaeochromocytoma"),
        ("anaemia", "anemia"),
        ("haematoma", "hematoma"),
        ("ischaemia", "ischemia"),
        ("anaesthesia", "anesthesia"),
        ("michael", "michael"),
        ("tumour", "tumor"),
        ("sulphate", "sulfate"),
        ("colourless", "colorless"),
        ("aloe", "aloe"),
        ("oean", "oean"),
        ("Crohn’s disease", "crohndisease"),
        ("β2-TNF", "beta2tnf"),
        ("c.35delG", "c35delg"),
        ("5' 3'", "5 3"),
    ],
)
def test_one_spelling_of_a_word(name: str, exact: str) -> None:
    """Catches a British spelling that hides a name, and a word of four letters or another root that is bent."""
    assert name_keys(name)[EXACT] == exact


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("therapies", "therapy"),
        ("masses", "mass"),
        ("metastases", "metastase"),
        ("psychoses", "psychosis"),
        ("paralyses", "paralysis"),
        ("cortices", "cortex"),
        ("rashes", "rash"),
        ("illness", "illness"),
        ("virus", "virus"),
        ("hepatitis", "hepatitis"),
        ("cells", "cell"),
        ("gas", "gas"),
        ("eyes", "eye"),
        ("lies", "lie"),
        ("the of", "of the"),
        ("disease of the heart and lungs", "disease heart lung"),
        ("T T cell", "cell t"),
    ],
)
def test_the_set_of_words_is_in_the_singular(name: str, words: str) -> None:
    """Catches a plural that is a word of its own, stop words alone that have no key, and words out of order."""
    assert name_keys(name)[WORDS] == words


@pytest.mark.parametrize(
    ("name", "broad"),
    [
        ("renal tumor", "kidney neoplasm"),
        ("thrombocytopathic", "thrombocytopathy"),
        ("tonic", "tonic"),
        ("hypotonic", "hypotonia"),
        ("uraemic", "uremia"),
        ("analgesic", "analgesia"),
        ("lactic acid", "lactate"),
        ("lactate", "lactate"),
        ("acid", "acid"),
        ("d-penicillamine", "penicillamine"),
        ("sodium chloride", "chloride sodium"),
        ("sodium abc", "abc sodium"),
        ("acid reflux", "reflux"),
    ],
)
def test_the_broad_key_leaves_salts_and_isomers_out(name: str, broad: str) -> None:
    """Catches a salt that is all there is of a name and is lost, and an adjective that stays apart from its noun."""
    assert name_keys(name)[BROAD] == broad


@pytest.mark.parametrize(("count", "keys"), [(16, 3), (17, 1)])
def test_a_very_long_name_is_found_exactly_or_not_at_all(count: int, keys: int) -> None:
    """Catches a chemist's name that is found by the set of its pieces."""
    name = "-".join(f"ab{'cdefghijklmnopqrs'[number]}" for number in range(count))
    assert len(name_keys(name)) == keys
    assert name_keys(name)[EXACT] == name.replace("-", "")
    assert name_keys("+-.") == ()


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


@pytest.mark.parametrize(
    ("name", "other"), [("MIR1281", "MIR128-1"), ("1,25-D", "125-D"), ("U 2 3", "U23"), ("p2'5'", "p25")]
)
def test_two_numbers_are_not_one(name: str, other: str) -> None:
    """Catches a gene that is taken for another since what stands between two of its numbers does not count."""
    assert not {*name_keys(name)} & {*name_keys(other)}
