"""What keeps a mark from ending a sentence: abbreviations, numbers and units, what brackets and quotes hold together.

Word lists are lower case, without the last full stop of an entry. They hold what biomedical abstracts print; they were
collected by hand and checked on the training parts of GENIA, BC5CDR and CRAFT only, so that other parts stay unseen.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER_LAST = _words(
    """
    e.g i.e eg ie cf viz vs v.s ca c.f approx resp incl esp et
    dr drs mr mrs ms prof
    fig figs eq eqs eqn eqns ref refs tab suppl
    var subsp ssp f.sp chr chrs chrom
    """
)
"""A sentence does not end after these, whatever follows."""

RANKS = _words("str substr bv sv ser convar subg subgen gen subvar")
"""Nor after these parts of an organism's name; they are written small: `Ser` is an amino acid."""

NEVER_BEFORE_NUMBER = _words("no nos vol vols p pp ch sec art nr ver sect pos nt aa")
"""A sentence does not end after these when a digit follows (`no. 5`); `No. The` is left alone."""

SELDOM_LAST = _words(
    """
    al etc sp spp inc ltd co corp dept univ jr sr ph.d m.d b.sc m.sc u.s u.s.a u.k d.c
    i.v i.p i.m s.c p.o i.c i.c.v i.d i.n i.t b.i.d t.i.d q.i.d b.w bw m.w mw mol.wt wt
    s.d s.e s.e.m a.m p.m max min no ed eds pers comm unpubl obs temp conc st rev cv pv nov
    proc natl acad sci biol chem physiol biochem biophys immunol virol microbiol pharmacol endocrinol pathol clin exp
    med mol res commun engl am eur int ann arch bull trans soc symp
    linn thunb willd bge mey roxb franch hemsl maxim sieb zucc heynh
    """
)
"""A sentence ends after these only when the next word is one that opens sentences (`et al. The`)."""

OPENING_WORDS = _words(
    """
    a additionally administration after all also although among an analysis and another as at background because both
    but by clinical collectively comparison compared conclusion conclusions consequently consistent conversely data
    despite design due during each either eight expression finally findings five following for four from further
    furthermore given group he hence her here his how however i if importantly in indeed inhibition interestingly
    introduction it its key like main many materials mean measurements median methods mice most moreover
    neither nevertheless next nine no none nor notably objective objectives of on once one only other our
    overall participants patient patients previous previously purpose rats recent recently remarkably result results
    seven several she significant significantly similar similarly since six so some specifically stimulation studies
    study subjects subsequently such surprisingly ten that the their then there thereby therefore these they this those
    three thus to together treatment two under unexpectedly unlike until upon using we what when whereas whether which
    while who why with within without
    """
)
"""Words that often open a sentence of an abstract, lower case."""

GLUED_OPENING_WORDS = (
    "Additionally|Although|Background|Conclusions?|Consequently|Finally|Furthermore|Here|However|In|Interestingly|It|"
    "Methods|Moreover|Objectives?|Our|Previously|Results?|Since|Such|The|Their|Then|Therefore|There|These|They|This|"
    "Those|Thus|To|We|When|While"
)
"""Words that open a sentence even where the blank before them was lost (`cells.These`), as a regular expression."""

PLACE_BEFORE_INITIAL = _words("by of and with to from in on for or the a an at")
"""After one of these, a capital letter with a full stop is a name's initial, not the end of a term (`by J. Smith`)."""


_LETTER_UNITS = frozenset("CFKLMNVWJ")
_YEAR = re.compile(r"(?:1[89]|20)\d\d$")
_UNIT = re.compile(r"(?P<number>\d?)(?:[kmµμn]?[gm]|[mµμd]?[lL]|cm|min|h|s|d|IU|U|mmol|kcal|mmHg|mSv|[cmk]?Gy)$")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.．-])\d{1,4}$")
_DECIMALS = re.compile(
    r"\d{1,2}\s?(?:degrees?\b|[°º℃％%]|(?:[kmµμn]g|[mµμ][lL]|[cmµμn]m|mmol|[mµμn]M|kDa|kb|bp|fold)\b)"
)


def is_letter_unit(word: str, before: str) -> bool:
    """Whether a word is a unit of one letter behind its number (`-80 C`), and not an initial behind a year."""
    return word in _LETTER_UNITS and before[-1:].isdigit() and not _YEAR.search(before)


def is_unit(word: str, before: str) -> bool:
    """Whether a word is a unit with its number in it or before it: `5ml`, `100 mg`."""
    found = _UNIT.search(word)
    if found is None or (found["number"] == "" and found.start()):
        return False
    return (found["number"] or before)[-1:].isdigit()


def is_split_decimal(word: str, text: str, *, following: int) -> bool:
    """Whether a blank has slipped into a decimal: `37. 5 degrees`, `P < 0. 05`.

    `word` ends at its point; `following` is where the text goes on. Only a zero, or digits with a unit behind them, are
    taken for one: a sentence may end with a number, and the next one begin with a number.
    """
    number = _NUMBER.search(word)
    if number is None or not text[following].isdigit():
        return False
    return number[0] == "0" or _DECIMALS.match(text, following) is not None


MAX_ENCLOSED = 100
"""How many characters may stand between two marks that hold together; a longer quotation is parted as other text is."""

_PAIRS = ("“”", "‘’", "「」", "『』", "《》", "〈〉", "【】", "〔〕", "［］", "（）", "()")
_ANY = "|".join(
    rf"{re.escape(pair[0])}[^{re.escape(pair)}]{{1,{MAX_ENCLOSED}}}+{re.escape(pair[1])}" for pair in _PAIRS
)
# One level of the same brackets inside others is common: `（见图1（左）。略）`.
_NESTED = rf"（(?=[^（）]{{0,{MAX_ENCLOSED}}}+（)(?:[^（）]|（[^（）]{{0,{MAX_ENCLOSED}}}+）){{1,{MAX_ENCLOSED}}}+）"
_PIECE = re.compile(f"{_NESTED}|{_ANY}")
_ENDS_OF_TITLES = "》〉"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Where such pieces stand in a text, from each opening mark to behind its closing mark; in order, side by side."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def holds(self, end: int) -> bool:
        """Whether a sentence must not end at an offset: it lies inside a piece, or right behind the title of a work."""
        place = bisect_right(self.starts, end - 1) - 1
        if place < 0 or end > self.ends[place]:
            return False
        return end < self.ends[place] or self.text[end - 1] in _ENDS_OF_TITLES


def enclosed_pieces(text: str) -> Enclosed:
    """The enclosed pieces of a text; linear in its length, because each is bounded."""
    pieces = [match.span() for match in _PIECE.finditer(text)]
    return Enclosed(text, tuple(start for start, _ in pieces), tuple(end for _, end in pieces))
