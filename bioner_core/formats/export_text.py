"""The text of an export's field as its reader sees it: escapes resolved, the export's own marks taken off."""

import html
import re

_ESCAPE = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_PRINTED_LINE_BREAK = "(#br)"
_BODY_MARK = re.compile(r"\s*[<〈＜]正[>〉＞]\s*")


def plain_text(value: str) -> str:
    """A value with XML's escapes and line break codes resolved, ends stripped."""
    if "&" in value:
        value = _ESCAPE.sub(lambda match: html.unescape(match.group()), value)
    return value.replace(_PRINTED_LINE_BREAK, "\n").strip()


def abstract_text(value: str) -> str:
    """The same, without the `<正>` that says that the article's opening stands in for an abstract."""
    text = plain_text(value)
    mark = _BODY_MARK.match(text)
    return text[mark.end() :] if mark else text
