"""The words by which a sentence says that something is absent, in doubt, or of another person or time.

After NegEx and ConText. A pattern of `before` speaks of what follows it, one of `after` of what stands before it; both
up to a word or sign of `ends`, and what is denied ends at a verb too. What `nothing` matches looks like a cue and is
none. Longer matches win.

English words in capitals are symbols (`NO` is nitric oxide, `WHO` an organisation), unless the whole sentence is in
capitals: such a sentence is read in small letters, so that patterns need not know of it.
"""

import re
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass

NEGATED, UNCERTAIN, OTHER, PRESENT = "negated", "uncertain", "other", "present"
RELATIVE = "relative"
"""`other` because it is somebody else's: that counts before doubt, and history counts behind it."""


@dataclass(frozen=True, slots=True)
class Cues:
    """The cues of a language: patterns by what they say, and whether they speak of what follows or stands before."""

    before: dict[str, re.Pattern[str]]
    after: dict[str, re.Pattern[str]]
    nothing: re.Pattern[str]
    ends: re.Pattern[str]
    ends_of_negation: re.Pattern[str] | None = None


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(patterns)})(?![\w-])", re.IGNORECASE)


_SEEN = "seen|observed|found|detected|present|noted|identified|visible|reported|demonstrated|apparent"
_BE = "is|are|was|were|be|been|being"
_KIN = (
    "(?:grand)?(?:mothers?|fathers?|parents?)|brothers?|sisters?|siblings?|aunts?|uncles?|cousins?|relatives|sons?|"
    # of one word for kin and for kinds of proteins, levels and metabolites, only what is said of people
    "(?:(?:first|second|third)-degree|affected|blood|male|female|his|her|their|patient's|another|older) relative|"
    "(?:affected|unaffected|all|both|two|three|four|five|several|some|other|his|her|their|patient's|of the|whose) "
    "family members?|^family members?|daughters?|wife|husband|twin|family history"
)
_SAYS = r"(?! (?:brought|reports?|reported|states?|stated|noticed|noted|denies|denied|says|said))"

_BETWEEN = "association|correlation|relationship|relation|interaction|influence|impact|link|colocali[sz]ation"
"""What there is not between two things that are there."""

_WORK = (
    "stud(?:y|ies)|works?|reports?|results?|observations?|data|experiments?|findings?|evidence|analys[ei]s|research|"
    "investigations?|publications?|papers?|literature|hypothes[ei]s|suggestions?|models?|demonstrations?|attempts?|"
    "efforts?|assumptions?|predictions?|trials?|estimates?|knowledge"
)
_TOLD = (
    "reported|shown|showed|described|identified|demonstrated|found|characteri[sz]ed|associated|established|implicated|"
    "published|defined|detected|noted|cloned|linked|designated|observed|documented|seen|generated|used|tested|"
    "proposed|known|mapped|termed|revealed|created|recogni[sz]ed|determined|assigned|synthesi[sz]ed|called|suggested|"
    "investigated|constructed|annotated|isolated|thought|obtained|analy[sz]ed|purified|indicated|hypothesi[sz]ed|"
    "believed|considered|studied|examined|evaluated|presented|discovered|classified|named|sequenced|estimated|"
    "validated|assumed|predicted|mentioned|discussed|reviewed|replicated|confirmed|observed"
)
_SAID_BEFORE = (
    rf"previously (?:been )?(?:{_TOLD})",
    r"previously un\w+",
    rf"(?:{_TOLD}) (?:by \w+ )?previously",
    "we(?: have| had)? previously",
    "previously,? we",
    rf"previous (?:[\w-]+ ){{0,3}}(?:{_WORK})",
)
"""What science said before is no history of a patient."""

_NO_KIN = (
    r"sisters? (?:chromatid|clade|tax(?:a|on)|group|lineage|species|cell|genus|strain|kinetochore|famil)\w*",
    r"parent (?:compound|drug|strain|cell|line|virus|molecule|isolate|plasmid|vector|antibody|peptide|plant)\w*",
    r"(?:mother(?: and |/))?(?:mother|daughter) (?:cell|centriole|nucle|isotope|product|chromosome|vesicle|bud)\w*",
    r"twin (?:stud|pregnanc|gestation|registr|pair|cohort|sample|research|method|design|birth)\w*",
    *(r"sibling (?:species|pair|control|stud)\w*", "mothers against", "sons? of sevenless", "brother of the regulator"),
)
"""Words for kin that are said of cells, compounds, kinds of study, or in names of genes."""

ENGLISH = Cues(
    before={
        NEGATED: _words(
            # `No. 12` counts things
            *(r"(?-i:[nN]o)(?!\. ?\d)", "not", "never", "neither", "nor", "none of", "without(?: any)?", "cannot"),
            "den(?:y|ies|ied|ying)",
            *("negative for", "free of", "free from", "absence of", "lack(?:s|ed|ing)?(?: of)?", "devoid of"),
            *("deficient in", "rul(?:ed|es|ing) out", "exclud(?:es|ed|ing)", "prevented", "no longer has"),
            r"fail(?:s|ed|ing)? to \w+",
            r"(?:did|does|do|has|have|had|could|was|were|is|are) ?n['’]t",
        ),
        UNCERTAIN: _words(
            *(
                "possible that",
                "the possibility of",
                "possibl[ey]",
                "probabl[ey]",
                "presum(?:ed|ably|ptive)",
                "suspected",
                "suspect",
                "suspicions? of",
            ),
            *(
                "suspicious for",
                "suggestive of",
                "likely",
                "questionable",
                r"(?-i:may|^May(?! \d))",
                "might",
                "could be",
                "perhaps",
            ),
            *("cannot exclude", "can(?:not| not) rule out", "could not (?:exclude|rule out)", "rule out", "r/o"),
            *("concern(?:s|ed)? for", "evaluat(?:ed|ion) for", "differential diagnos[ie]s(?: of| includes?)?"),
            *("consistent with", "compatible with", "whether(?: or not)?", "unclear if"),
            *("hypothesi[sz]ed?(?: that)?", "speculated?(?: that)?", "query"),
        ),
        OTHER: _words(
            *("history of", "(?:past )?medical history(?: of| includes?)?", "status post", "s/p", "previous(?:ly)?"),
            *("prior", "h/o"),
        ),
        RELATIVE: re.compile(rf"(?<![\w-])(?:{_KIN})(?![\w-]){_SAYS}", re.IGNORECASE),
    },
    after={
        NEGATED: _words(
            rf"(?:{_BE}) (?:also )?(?:absent|negative(?! for)|excluded|ruled out|lacking)",
            rf"(?:{_BE}|has been|have been) not (?:been )?(?:{_SEEN})",
            rf"not (?:been )?(?:{_SEEN})",
            r"(?:did|does|do) not (?:occur|develop|appear|recur|exist)",
            "(?:has|have) been (?:excluded|ruled out)",
            "never occurred",
        ),
        UNCERTAIN: re.compile(
            rf"(?<![\w-])(?:(?:{_BE}) (?:suspected|(?:un)?likely(?! to)|possible|probable|questionable|unclear|"
            r"unknown)|remains? (?:a possibility|possible|unclear)|"
            r"(?:cannot|can not|could not) be (?:excluded|ruled out)|(?:has|have) not been (?:excluded|ruled out)|"
            r"not been (?:excluded|ruled out))(?![\w-])|^\s*[？?]",
            re.IGNORECASE,
        ),
        OTHER: _words("as an? (?:child|infant|teenager|boy|girl)", "in childhood", "years? ago"),
    },
    nothing=_words(
        r"(?:no|not|without)(?: \w+)? (?:significant|difference|change|effect|increase|decrease|improvement|further)"
        r"\w*(?: (?:difference|change|effect|increase|decrease|improvement)\w*)?",
        rf"no (?:\w+ )?(?:{_BETWEEN})s? between",
        *("not only", "not necessarily", "not (?:just|merely|simply|solely|exclusively|always|limited to|until)"),
        r"not (?:\w+ )?(?:chang|affect|alter|influenc|improv|associat|correlat|differ|related|prevent|inhibit|block|"
        r"reduc|attenuat|abolish|revers|suppress|abrogat|ameliorat)\w*",
        *("no (?:longer|doubt)", "no (?:more|less|fewer|later|sooner) than", r"\w+-negative"),
        *("natural history", "history (?:was taken|taking)", "without (?:difficulty|delay)"),
        "without (?:affect|alter|chang|influenc|impair|compromis|modify|interfer)ing",
        # both are said of one thing, each of some
        *("with(?: or | and |/)without", "presence (?:or|and) absence of", "absence (?:or|and) presence of"),
        *_SAID_BEFORE,
        *("prior to", rf"prior (?:[\w-]+ ){{0,2}}(?:{_WORK})"),
        "(?:more|less|most|least|equally|as) likely (?:to|than|as)",
        r"(?:consistent|compatible) with (?:this|these|those|that|our|its|their|previous|prior|earlier|other|recent)",
        rf"(?:consistent|compatible) with (?:(?:the|an?) )?(?:[\w-]+ )?(?:{_WORK}|idea|notion|view|concept|fact|role)",
        *_NO_KIN,
    ),
    ends=re.compile(
        r"[;:]|(?<![\w-])(?:but|however|although|though|except|because|since|as (?:the|it|he|she)|which|(?-i:[Ww]ho)|"
        r"whereas|while|yet|therefore|apart from|despite|secondary to|due to|caused by|when|after|before|during|"
        r"following|until|among|and (?:has|had|is|was|takes|started|developed|there|he|she|it|they)|"
        r"in (?:the|patients|children|women|men|this|these|those|our))(?![\w-])",
        re.IGNORECASE,
    ),
    ends_of_negation=_words("(?-i:[Ii]s|[Aa]re|[Ww]as|[Ww]ere)"),
)


def longest_first(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of matches that overlap, the longest; of equal ones the first given. In the order of the text."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda one: one[0] - one[1]):
        place = bisect(kept, (start, end))
        if (place == 0 or kept[place - 1][1] <= start) and (place == len(kept) or end <= kept[place][0]):
            kept.insert(place, (start, end))
    return kept
