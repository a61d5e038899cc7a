"""The words by which a sentence says that something is absent, in doubt, or of another person or time.

After NegEx and ConText. A pattern of `before` speaks of what follows it, one of `after` of what stands before it; both
up to a word or sign of `ends`, and what is denied ends at a verb too. What `nothing` matches looks like a cue and is
none. Longer matches win.
"""

import re
from collections.abc import Sequence
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


def _signs(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_SEEN = "seen|observed|found|detected|present|noted|identified|visible|reported|demonstrated|apparent"
_BE = "is|are|was|were|be|been|being"
_KIN = (
    "(?:grand)?(?:mothers?|fathers?|parents?)|brothers?|sisters?|siblings?|aunts?|uncles?|cousins?|relatives?|sons?|"
    "daughters?|wife|husband|twin|family members?|family history"
)
_SAYS = r"(?! (?:brought|reports?|reported|states?|stated|noticed|noted|denies|denied|says|said))"

ENGLISH = Cues(
    before={
        NEGATED: _words(
            *("no", "not", "never", "neither", "nor", "none of", "without(?: any)?", "den(?:y|ies|ied|ying)", "cannot"),
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
            *("suspicious for", "suggestive of", "likely", "questionable", "may", "might", "could be", "perhaps"),
            *("cannot exclude", "can(?:not| not) rule out", "could not (?:exclude|rule out)", "rule out", "r/o"),
            *("concern(?:s|ed)? for", "evaluat(?:ed|ion) for", "differential diagnos[ie]s(?: of| includes?)?"),
            *("consistent with", "compatible with", "whether", "unclear if"),
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
            rf"(?<![\w-])(?:(?:{_BE}) (?:suspected|likely|unlikely|possible|probable|questionable|unclear|unknown)|"
            r"remains? (?:a possibility|possible|unclear)|(?:cannot|can not|could not) be (?:excluded|ruled out)|"
            r"(?:has|have) not been (?:excluded|ruled out)|not been (?:excluded|ruled out))(?![\w-])|^\s*[？?]",
            re.IGNORECASE,
        ),
        OTHER: _words("as an? (?:child|infant|teenager|boy|girl)", "in childhood", "years? ago"),
    },
    nothing=_words(
        r"(?:no|not|without)(?: \w+)? (?:significant|difference|change|effect|increase|decrease|improvement|further)"
        r"\w*(?: (?:difference|change|effect|increase|decrease|improvement)\w*)?",
        "not only",
        "not necessarily",
        r"not (?:\w+ )?(?:chang|affect|alter|influenc|improv|associat|correlat|differ|related)\w*",
        "no (?:longer|doubt)",
        r"\w+-negative",
        "natural history",
        "history (?:was taken|taking)",
        "without (?:difficulty|delay)",
    ),
    ends=re.compile(
        r"[;:]|(?<![\w-])(?:but|however|although|though|except|because|since|as (?:the|it|he|she)|which|who|whereas|"
        r"while|yet|therefore|apart from|despite|secondary to|due to|caused by|when|after|before|during|following|"
        r"until|among|and (?:has|had|is|was|takes|started|developed|there|he|she|it|they)|"
        r"in (?:the|patients|children|women|men|this|these|those|our))(?![\w-])",
        re.IGNORECASE,
    ),
    ends_of_negation=_words("is", "are", "was", "were"),
)

_KIN_ZH = (
    "父亲|母亲|其父|其母|祖父|祖母|外祖父|外祖母|爷爷|奶奶|外公|外婆|哥哥|弟弟|姐姐|妹妹|其[兄弟姐妹]|兄弟|姐妹|妻子|丈夫|"
    "儿子|女儿|家族中|叔叔|舅舅|姑姑|姨妈"
)

CHINESE = Cues(
    before={
        NEGATED: _signs(
            "未(?:见|闻及|触及|及|发现|检出|检测到|查见|发生|出现|提示|显示|引出|予|用|使用|累及|表达)(?:明显|确切|异常)?",
            *("从未(?:使用过|有过|患过|发生过)?", "没有?", "无(?:明显|异常)?", "否认", "不伴有?", "不表达"),
            *("已?排除", "除外", "缺乏", "缺失", "不存在", "不含"),
            "不(?=发烧|发热|烧|痛|疼|咳|吐|痒|肿|晕|喘)",
        ),
        UNCERTAIN: _signs(
            *(
                "可疑",
                "疑似",
                "疑诊",
                "疑为",
                "疑有",
                "拟诊",
                "怀疑",
                "可能[是有为会]?",
                "考虑为?",
                "不能?排除",
                "不能?除外",
            ),
            *("也许", "或许", "似[有为乎]", "推测", "警惕", "是否", "是不是", "会不会", "待除外"),
        ),
        OTHER: _signs("既往[有患]?", "曾[患有行因]?", "年前"),
        RELATIVE: _signs(f"(?:{_KIN_ZH})(?!否认|诉|代诉|述|发现|带)"),
    },
    after={
        NEGATED: _signs(
            "阴性",
            r"^\s*[（(]\s*[-－—–]\s*[)）]",
            "(?:已|被|可)(?:排除|除外)",
            r"(?:未见|未引出|未触及|未闻及|未检出|未出现|未发生|不明显)(?=\s*(?:[。，；、,;）)]|$))",
            "不存在",
        ),
        UNCERTAIN: _signs(
            "待[排查]除?", "不能?除外", "不能?排除", "可能性", "可能[与和由是]", "尚?不清楚", r"^\s*[？?]"
        ),
        OTHER: _signs("病史", "史(?!诗)", "术后"),
        RELATIVE: _signs("家族史"),
    },
    nothing=_signs(
        "无(?:明显)?诱因下?",
        "无(?:显著|明显)?(?:统计学)?(?:性)?(?:差异|影响|变化|区别)",
        *("无法", "无需", "无论", "无效", "无关", "不仅[有是]?", "不但[有是]?", "不能(?!排除|除外)", "未能"),
        "没有(?:按时|及时|症状|效果|改善|变化)",
        *("考虑到", "历史", "有史以来"),
    ),
    ends=_signs("[。；;！!，,]", "但", "却", "而(?!且)", "因此", "所以", "伴有?", "可见"),
)


def longest_first(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of matches that overlap, the longest; of equal ones the first given."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda one: one[0] - one[1]):
        if all(end <= other[0] or other[1] <= start for other in kept):
            kept.append((start, end))
    return kept
