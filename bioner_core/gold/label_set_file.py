"""A label set file made from a corpus: a start that a human completes, since no corpus says what its types mean."""

import json
from collections.abc import Mapping

from bioner_core.errors import ConfigurationError

_FORBIDDEN = "[]:\\"
_EXAMPLES = 5


def label_set_text(name: str, examples: Mapping[str, Mapping[str, int]], languages: list[str]) -> str:
    """The TOML of a label set with these types, each with what it was most often said of as a comment.

    Raises:
        ConfigurationError: there is no type, or one has a name that a label set cannot have.
    """
    if not examples:
        raise ConfigurationError("label set: the corpus marks no entity, so there is no type to name")
    unusable = [one for one in examples if not one.isprintable() or any(char in one for char in _FORBIDDEN)]
    if unusable:
        raise ConfigurationError(
            f"label set: types {unusable} hold a bracket, colon, backslash or unprintable character; "
            "give them other names with --map OLD=NEW"
        )
    head = (
        f"name = {_quoted(name)}\n"
        f"languages = {json.dumps(languages)}\n"
        'description = ""\n'
        "# Write definitions: a model reads them. docs/label_sets.md says how, and which tags to share.\n"
    )
    return head + "".join(_type(one, examples[one]) for one in sorted(examples))


def _type(name: str, mentions: Mapping[str, int]) -> str:
    frequent = sorted(mentions, key=lambda one: (-mentions[one], one))[:_EXAMPLES]
    said = "; ".join(" ".join(one.split())[:60] for one in frequent)
    said = "".join(char if char.isprintable() else "?" for char in said)
    return f"\n[[types]]\nname = {_quoted(name)}\n# {said}\ndefinition_en = {_quoted(name)}\n"


def _quoted(text: str) -> str:
    """A TOML string: that of JSON, for printable text."""
    return json.dumps(text, ensure_ascii=False)
