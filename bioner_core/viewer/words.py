"""What is said of a mention in words, on a page and in a notebook."""

from bioner_core.mentions import Mention

_ORIGINS = {
    "abbreviation": "short form that this text defines",
    "repeat": "found again elsewhere in this text",
}


def type_and_assertion(mention: Mention) -> str:
    """Its type, and what its sentence says of it unless that is nothing special: `Disease, negated`."""
    if mention.assertion in (None, "present"):
        return mention.type
    return f"{mention.type}, {mention.assertion}"


def about_mention(mention: Mention, *, inside: str = "", concept: str = "") -> str:
    """One line: type, concept, scores, offsets, what encloses it (`inside`), where it came from, the verdict."""
    parts = [
        f"{type_and_assertion(mention)} ({mention.label_set})",
        concept,
        f"selector {mention.selector_score:.2f}",
        f"tag {mention.tag_score:.2f}",
        f"{mention.start}-{mention.end}",
        f"inside “{inside}”" if inside else "",
        _ORIGINS.get(mention.origin or "", ""),
        "" if mention.accepted else "turned down",
    ]
    return " · ".join(part for part in parts if part)
