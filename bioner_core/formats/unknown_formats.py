"""What a file is that no reader here takes, and what could be given instead: the words of its reject."""

import re

from bioner_core.formats.encoding import decode_head

_ONLY_JATS = "only JATS is read of publishers' full text; PubMed Central has JATS of open articles"
_START = r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,500}?-->\s*)?(?:<!DOCTYPE[^>]*>\s*)?"
_ERROR_REPLY = re.compile(rf'\s*\{{\s*"(?:error|api-key|header)"|{_START}<(?:eFetchResult|ERROR)\b', re.DOTALL)
_PUBLISHER = re.compile(
    rf"{_START}<[^>]*elsevier\.com/xml|.{{0,500}}-//(?:ES|IOP|Springer)[^>]*//|{_START}<Publisher[\s>]|"
    rf"{_START}<[^>]*wiley\.com/namespaces|{_START}<art>|{_START}<article\b[^>]*>\s*<article-metadata\b",
    re.DOTALL,
)
_FIELD_NAMES = r"(?:流水号|题\s*名|标\s*题|篇\s*名)"
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _ERROR_REPLY,
        "an error reply of a web service (NCBI's E-utilities, say), not the records that were asked for: fetch them "
        "again, more slowly or with an API key",
    ),
    (_PUBLISHER, f"a publisher's own XML (Elsevier, Springer A++, IOP, Wiley, BMC): {_ONLY_JATS}"),
    (re.compile(rf"{_START}<[^>]*tei-c\.org/ns", re.DOTALL), f"TEI XML: {_ONLY_JATS}"),
    (
        re.compile(rf"{_START}<html", re.DOTALL | re.IGNORECASE),
        "a web page: save the export itself, not the page that shows it",
    ),
    (
        re.compile(rf"\s*(?:\[?\d+\]?[.、]?\s+)?(?:【\s*{_FIELD_NAMES}\s*】|{_FIELD_NAMES}\s*[:：])"),
        "a text export of SinoMed or VIP (维普), whose fields are not known for certain: export as NoteExpress instead",
    ),
    (
        re.compile(r"\s*<(?=.{0,6000}<Titles>\s*<Title>)(?=.{0,6000}<Periodical[\s/>])", re.DOTALL),
        "VIP's (维普) own XML: export as NoteExpress instead",
    ),
    (re.compile(r"\s*%PDF"), "a PDF: only text and XML are read"),
    (re.compile(r"\s*@[A-Za-z]+\s*\{"), "BibTeX: export RIS, PubMed's text (nbib) or EndNote XML instead"),
    (re.compile(r"\s*(?:FN |PT [JSBP]\s)"), "an export of Web of Science: export RIS instead"),
    (re.compile(r"BZh\d"), "compressed with bzip2: unpack it first; only gzip is unpacked here"),
)


def unknown_format_message(head: bytes, known: str) -> str:
    """What a file looks like that no reader recognises, and which formats are read; `known` is their names."""
    text = decode_head(head[:8192])
    what = next((words for pattern, words in _KINDS if pattern.match(text)), "")
    said = f"the content looks like {what}" if what else "the content is of no format that is read here"
    if not what and "\0" not in text:
        said += "; if it is plain text, --format text reads it as one document"
    return f"{said}. --format names one of: {known}"


def is_error_reply(head: bytes) -> bool:
    """Whether a JSON object is a web service's complaint and no record."""
    return _ERROR_REPLY.match(decode_head(head[:200])) is not None


def is_publisher_xml(head: bytes) -> bool:
    """Whether XML with a root that JATS has too is a publisher's own."""
    return _PUBLISHER.match(decode_head(head[:4096])) is not None
