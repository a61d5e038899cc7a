"""Language codes: ISO 639-2 to 639-1, and Chinese against English by the share of Han characters."""

import re

HAN_SHARE = 0.2
"""A text is Chinese when at least this share of its letters is Han: a Latin name takes more letters than a Han word."""

_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")

_ALPHA_2 = {
    "ara": "ar", "bul": "bg", "cat": "ca", "chi": "zh", "cze": "cs", "dan": "da", "dut": "nl", "eng": "en",
    "est": "et", "fin": "fi", "fre": "fr", "geo": "ka", "ger": "de", "gre": "el", "heb": "he", "hin": "hi",
    "hrv": "hr", "hun": "hu", "ice": "is", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "lav": "lv",
    "lit": "lt", "mac": "mk", "may": "ms", "nor": "no", "per": "fa", "pol": "pl", "por": "pt", "rum": "ro",
    "rus": "ru", "slo": "sk", "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tha": "th", "tur": "tr",
    "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip


def short_code(code: str) -> str:
    """The ISO 639-1 code of an ISO 639-2 (MARC) code; a code without one here is returned as it is."""
    return _ALPHA_2.get(code, code)


def detect_language(text: str) -> str:
    """`zh` or `en`, by the share of Han characters among the letters; `en` when there are no letters."""
    letters = sum(map(str.isalpha, text))
    return "zh" if letters and len(_HAN.findall(text)) >= HAN_SHARE * letters else "en"
