"""Word lists that tell a full stop of an abbreviation from one that ends a sentence.

All entries are lower case, without their last full stop. The lists hold what biomedical abstracts print; they were
collected by hand and checked on the training parts of GENIA, BC5CDR and CRAFT only, so that other parts stay unseen.
"""


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

NEVER_BEFORE_NUMBER = _words("no nos vol vols p pp ch sec art nr ver sect pos nt aa")
"""A sentence does not end after these when a digit follows (`no. 5`); `No. The` is left alone."""

SELDOM_LAST = _words(
    """
    al etc sp spp inc ltd co corp dept univ jr sr ph.d m.d b.sc m.sc u.s u.s.a u.k d.c
    i.v i.p i.m s.c p.o i.c i.c.v i.d i.n i.t b.i.d t.i.d q.i.d b.w bw m.w mw mol.wt wt
    s.d s.e s.e.m a.m p.m max min no ed eds pers comm unpubl obs temp conc st rev cv pv
    proc natl acad sci biol chem physiol biochem biophys immunol virol microbiol pharmacol endocrinol pathol clin exp
    med mol res commun engl am eur int ann arch bull trans soc symp
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
