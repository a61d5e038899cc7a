"""Language codes: whatever form a file writes them in, ISO 639-1 where there is one; Chinese against English by Han."""

import re

from bioner_core.formats.short_memory import kept

HAN_SHARE = 0.2
"""A text is Chinese when at least this share of its letters is Han: a Latin name takes more letters than a Han word."""

UNDETERMINED_LANGUAGE = "und"
"""The code of a language that nobody states."""

_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]+")

# ISO 639-2, both the bibliographic and the terminological codes, behind the code of two letters.
_TABLE = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul
bi:bis bm:bam bn:ben bo:tib,bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:cze,ces cu:chu cv:chv
cy:wel,cym da:dan de:ger,deu dv:div dz:dzo ee:ewe el:gre,ell en:eng eo:epo es:spa et:est eu:baq,eus
fa:per,fas ff:ful fi:fin fj:fij fo:fao fr:fre,fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau
he:heb hi:hin ho:hmo hr:hrv,scr ht:hat hu:hun hy:arm,hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk
io:ido is:ice,isl it:ita iu:iku ja:jpn jv:jav ka:geo,kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan
ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub
lv:lav mg:mlg mh:mah mi:mao,mri mk:mac,mkd ml:mal mn:mon mr:mar ms:may,msa mt:mlt my:bur,mya na:nau nb:nob
nd:nde ne:nep ng:ndo nl:dut,nld nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan
pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:rum,ron,mol ru:rus rw:kin sa:san sc:srd sd:snd se:sme
sg:sag si:sin sk:slo,slk sl:slv sm:smo sn:sna so:som sq:alb,sqi sr:srp,scc ss:ssw st:sot su:sun sv:swe
sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah
ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:chi,zho,cmn
zu:zul
"""
_ALPHA_2 = {
    three: two for two, _, codes in (row.partition(":") for row in _TABLE.split()) for three in codes.split(",")
}
# Names, as reference managers and exports write them.
_NAMES = {
    "english": "en", "chinese": "zh", "german": "de", "french": "fr", "spanish": "es", "japanese": "ja",
    "portuguese": "pt", "russian": "ru", "italian": "it", "korean": "ko", "polish": "pl", "dutch": "nl",
    "turkish": "tr", "中文": "zh", "汉语": "zh", "英文": "en", "英语": "en",
}  # fmt: skip
_SUBTAG = re.compile(r"[-_]")
_NOTHING_SAID = frozenset({"", "und", "mul", "zxx", "mis", "un"})


@kept(1024)
def short_code(code: str) -> str:
    """The ISO 639-1 code for a code of two or three letters, of any case, with or without region (`ENG`, `zh-Hans`).

    Names in English count too. What has no code of two letters comes back in lower case without its region.
    """
    folded = code.strip().lower()
    language = _SUBTAG.split(folded, maxsplit=1)[0]
    return _ALPHA_2.get(language) or _NAMES.get(folded) or language


def stated_language(code: str) -> str:
    """As `short_code`, but empty where a code says that the language is unknown, several, or none."""
    short = short_code(code)
    return "" if short in _NOTHING_SAID else short


def detect_language(text: str) -> str:
    """`zh` or `en`, by the share of Han characters among the letters; `en` when there are no letters."""
    if text.isascii():
        return "en"
    # Runs, since a list of all characters takes ten times as long; and letters are counted only where they can decide,
    # because that takes ten times as long again.
    han = len(text) - len(_HAN.sub("", text))
    return "zh" if han and (han >= HAN_SHARE * len(text) or han >= HAN_SHARE * sum(map(str.isalpha, text))) else "en"
