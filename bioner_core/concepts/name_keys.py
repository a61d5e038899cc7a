"""Under which keys a name is found: exact, by its set of words, and broadly. Names and mentions are keyed alike.

One table holds the keys of all kinds: a row says of which kind a key is of its name, so that the surest match is known.
"""

import re
from functools import lru_cache
from itertools import pairwise

from bioner_core.text.folding import fold

KEYS_VERSION = "3"
"""Part of every index: change it with any change that gives a name another key."""

EXACT, WORDS, BROAD = range(3)
"""The kinds of keys, the surest first: the name as it is, its set of words, and its words in a broad sense."""

_MOST_PIECES = 16
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['’]s\b")
_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "ο": "omicron",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
    "\N{LATIN SMALL LETTER ALPHA}": "alpha",  # what some writers take for the Greek one
}
_GREEK_LETTER = re.compile(f"[{''.join(_GREEK)}]")
_STOP_WORDS = frozenset(
    ("and", "by", "due", "for", "in", "nos", "of", "on", "or", "other", "the", "to", "unspecified", "with")
)
_PLURALS = (
    ("ies", "y", 3),
    ("sses", "ss", 2),
    ("oses", "osis", 3),
    ("yses", "ysis", 3),
    ("ices", "ex", 3),
    ("shes", "sh", 2),
)
"""Endings of plurals, those of their singulars, and how many letters are before them at least: `lies` is none."""
_OEDEMA = re.compile(r"(?:(?<=o)|(?<![aeiou]))oed")
"""`lymphoedema` and `angiooedema`, but not `angioedema`, whose o is that of its first half."""
_SAME_WORD = {
    "cancer": "neoplasm",
    "cardiac": "heart",
    "cerebral": "brain",
    "disorder": "disease",
    "gastric": "stomach",
    "hepatic": "liver",
    "malignancy": "neoplasm",
    "malignant": "neoplasm",
    "ocular": "eye",
    "pulmonary": "lung",
    "renal": "kidney",
    "tumor": "neoplasm",
}
_ENDINGS = (
    ("tensive", "tension"),
    ("rrhagic", "rrhage"),
    ("rrhythmic", "rrhythmia"),
    ("kinetic", "kinesia"),
    ("plegic", "plegia"),
    ("tonic", "tonia"),
    ("pathic", "pathy"),
    ("toxic", "toxicity"),
    ("emic", "emia"),
    ("otic", "osis"),
    ("uric", "uria"),
    ("ythmic", "ythmia"),
    ("leptic", "lepsy"),
    ("gesic", "gesia"),
)
_SALTS = frozenset(
    (
        "acetate",
        "acid",
        "besylate",
        "bitartrate",
        "bromide",
        "calcium",
        "chloride",
        "citrate",
        "dihydrate",
        "dihydrochloride",
        "fumarate",
        "hbr",
        "hcl",
        "hydrobromide",
        "hydrochloride",
        "hydrate",
        "lactate",
        "maleate",
        "magnesium",
        "mesylate",
        "mesilate",
        "monohydrate",
        "nitrate",
        "phosphate",
        "potassium",
        "salt",
        "sodium",
        "succinate",
        "sulfate",
        "sulphate",
        "tartrate",
        "tosylate",
    )
)
_ISOMERS = frozenset(("d", "l", "dl", "r", "s", "rs", "cis", "trans", "racemic"))


@lru_cache(maxsize=100_000)
def name_keys(name: str) -> tuple[str, ...]:
    """The exact, the word-set and the broad key of a name; none where it holds no letter or digit.

    Two of them may be equal. A very long name, as chemists write them, is found exactly or not at all.
    """
    pieces = _pieces(name)
    if not pieces:
        return ()
    if len(pieces) > _MOST_PIECES:
        return (_exact(pieces),)
    words = tuple(sorted({_singular(one) for one in pieces} - _STOP_WORDS)) or tuple(sorted(set(pieces)))
    return _exact(pieces), " ".join(words), " ".join(sorted(_broad(words)))


def _exact(pieces: list[str]) -> str:
    """The pieces without what is between them, but for two numbers: MIR128-1 is another gene than MIR1281."""
    joined = pieces[0]
    for before, one in pairwise(pieces):
        joined += f" {one}" if before.isdecimal() and one.isdecimal() else one
    return joined


def _pieces(name: str) -> list[str]:
    text = _POSSESSIVE.sub("", fold(name).text.casefold())
    if not text.isascii():
        text = _GREEK_LETTER.sub(lambda letter: f" {_GREEK[letter[0]]} ", text)
    return [_american(one) for one in _PIECE.findall(text)]


def _american(word: str) -> str:
    """One spelling of a word that British and American English spell differently."""
    if len(word) < 5 or not word.isascii():
        return word
    word = _OEDEMA.sub("ed", word)
    word = word.replace("oe", "e") if "oe" in word[:3] or "rrhoe" in word else word
    word = word.replace("ae", "e") if "aem" in word or "anae" in word else word
    return word.replace("tumour", "tumor").replace("sulph", "sulf").replace("colour", "color")


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    for plural, single, least in _PLURALS:
        if word.endswith(plural) and len(word) >= len(plural) + least:
            return word[: -len(plural)] + single
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def _broad(words: tuple[str, ...]) -> set[str]:
    """The words without salts and isomers, in one form of an adjective and its noun, and of a word and its synonym."""
    found = {_SAME_WORD.get(one, _noun(one)) for one in words}
    if "acid" in found:
        found = {one[:-2] + "ate" if one.endswith("ic") else one for one in found}
    rest = found - _SALTS - _ISOMERS
    # Where salts are all there is, the acid is still that of its salt: `lactic acid` is found as `lactate`.
    return rest if any(len(one) > 3 for one in rest) else found - {"acid"} or found


def _noun(word: str) -> str:
    for adjective, noun in _ENDINGS:
        if word.endswith(adjective) and len(word) > len(adjective):
            return word[: -len(adjective)] + noun
    return word
