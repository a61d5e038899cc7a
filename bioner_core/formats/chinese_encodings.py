"""GB18030 or Big5: most bytes of one are valid in the other, so the characters that they give decide.

Text is written in common characters. Those of GB 2312, and the first level of Big5, are at most four in five of what
the other encoding makes of the same bytes; of what they encode themselves they are nearly all.
"""

from collections import Counter
from collections.abc import Callable, Set
from functools import lru_cache

from bioner_core.formats.contract import FileFault
from bioner_core.records import RejectReason

SAMPLE_BYTES = 1024 * 1024
"""How much of a file is judged."""

COMMON_SHARE = 0.8
"""The least share of common characters in a text that is read as Big5."""

RARE_SHARE = 0.5
"""The largest share of characters in GB18030 text that neither simplified nor traditional Chinese commonly uses."""

_FIRST_PRIVATE, _LAST_PRIVATE = "\ue000", "\uf8ff"
_BIG5_COMMON = (0xA1, 0xC6)
_LAST_ASCII = 0x7F
_GB_MARKS = frozenset("—·…～")


# A file is asked about when it is sniffed and when it is read, and a short one is both times the same bytes.
@lru_cache(maxsize=2)
def likely_encoding(sample: bytes) -> str:
    """`gb18030` or `cp950` (Big5) for the start of a file that is valid in the first.

    Raises:
        FileFault: neither gives a text that anybody is likely to have written.
    """
    as_gb = _written(sample, "gb18030")
    if _share(as_gb, _in_gb2312) >= COMMON_SHARE:
        return "gb18030"
    as_big5 = _written(sample, "cp950")
    if as_big5 and _share(as_big5, _in_common_big5) >= COMMON_SHARE and _fits_big5(sample):
        return "cp950"
    rare = _share(as_gb, lambda characters: characters - _in_gb2312(characters) - _in_common_big5(characters))
    if as_gb and rare > RARE_SHARE:
        raise FileFault(
            RejectReason.BAD_ENCODING,
            f"as GB18030 {rare:.0%} of the characters beyond ASCII are rare or private ones, and Big5 does not fit; "
            "convert the file to UTF-8 from the encoding that it was saved in (Windows-1252, Shift JIS, ...)",
        )
    return "gb18030"


def sniffed_encoding(head: bytes) -> str:
    """The same for sniffing, where nothing is an error."""
    if b"\0" in head:  # no text: packages and spreadsheets, whose bytes are worth no look at characters
        return "gb18030"
    try:
        return likely_encoding(head)
    except FileFault:
        return "gb18030"


def _written(sample: bytes, encoding: str) -> Counter[str]:
    """How often each character beyond ASCII is there."""
    import numpy as np  # not at the top: few files are neither UTF-8 nor UTF-16, and it takes 0.1 s

    text = sample.decode(encoding, errors="ignore")
    # A twentieth of what a `Counter` of the text takes, which makes an object of each character.
    numbers = np.bincount(np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2"), minlength=0x10000)
    if numbers[0xD800:0xE000].any():  # characters of two units
        return Counter(character for character in text if not character.isascii())
    return Counter({chr(one): int(numbers[one]) for one in numbers.nonzero()[0] if one > _LAST_ASCII})


def _fits_big5(sample: bytes) -> bool:
    """Whether a sample is valid Big5, but for a character that its end may cut."""
    try:
        sample.decode("cp950")
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 1 and len(sample) >= SAMPLE_BYTES // 16
    return True


def _share(counts: Counter[str], such: Callable[[Set[str]], Set[str]]) -> float:
    """The share of those that `such` picks from the different characters of a text."""
    return sum(counts[character] for character in such(counts.keys())) / counts.total() if counts else 0.0


def _in_gb2312(characters: Set[str]) -> Set[str]:
    usual = "".join(one for one in characters if not _is_private(one) and not "\u3040" <= one <= "\u30ff")
    # All at once: a call of the codec for each takes longer than to read the text.
    return set(usual.encode("gb2312", errors="ignore").decode("gb2312")) | (set(usual) & _GB_MARKS)


def _in_common_big5(characters: Set[str]) -> Set[str]:
    return {one for one in characters if not _is_private(one) and _has_common_lead(one)}


def _has_common_lead(character: str) -> bool:
    encoded = character.encode("cp950", errors="ignore")
    return len(encoded) > 0 and _BIG5_COMMON[0] <= encoded[0] <= _BIG5_COMMON[1]


def _is_private(character: str) -> bool:
    return _FIRST_PRIVATE <= character <= _LAST_PRIVATE
