"""Ready questions: files of SQL beside this one, whose first lines say what they answer and what can be set.

-- What it answers.
-- name: what the parameter means = its default
-- name: what a parameter without default means
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from bioner_core.errors import ConfigurationError

_NUMBERS = frozenset({"limit", "from_year", "to_year"})
_TIMES = frozenset({"since"})
TYPE_PARAMETERS = frozenset({"type", "first_type", "second_type", "outer", "inner"})
"""The parameters that name a type of entity."""

_PARAMETER = re.compile(r"-- (\w+): (.*?)(?: =(?: (.*))?)?")


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """What can be set; `default` None means that it must be."""

    name: str
    meaning: str
    default: str | None


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A question with a name."""

    name: str
    answers: str
    parameters: tuple[QueryParameter, ...]
    sql: str

    def bound(self, given: Mapping[str, str]) -> dict[str, str]:
        """A value for each parameter.

        Raises:
            ConfigurationError: a parameter is unknown, missing, or not of its kind.
        """
        known = {one.name: one.default for one in self.parameters}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise ConfigurationError(f"--param: {self.name} has no {unknown[0]!r}; it has {', '.join(known) or 'none'}")
        values = {name: given.get(name, default) for name, default in known.items()}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise ConfigurationError(f"--param: {self.name} needs {missing[0]}=...")
        return {name: _checked(name, value) for name, value in values.items() if value is not None}


@cache
def named_queries() -> tuple[NamedQuery, ...]:
    """All of them, by name."""
    found = (one for one in files("bioner_core.store.query").joinpath("queries").iterdir() if one.name.endswith(".sql"))
    texts = {one.name.removesuffix(".sql"): one.read_text(encoding="utf-8") for one in found}
    return tuple(_parsed(name, text) for name, text in sorted(texts.items()))


def named_query(name: str) -> NamedQuery:
    """One of them.

    Raises:
        ConfigurationError: there is none of this name.
    """
    for query in named_queries():
        if query.name == name:
            return query
    names = ", ".join(one.name for one in named_queries())
    raise ConfigurationError(f"--named: there is no {name!r}; there are {names}")


def _checked(name: str, value: str) -> str:
    """A value as the query compares it: times are compared as text, so that they must be in UTC and in one form."""
    if name in _NUMBERS and not (value.isascii() and value.isdecimal()):
        raise ConfigurationError(f"--param: {name} is {value!r}, and must be a whole number")
    if name not in _TIMES:
        return value
    try:
        time = datetime.fromisoformat(f"{value}-01-01" if len(value) == 4 else value)
    except ValueError:
        raise ConfigurationError(
            f"--param: {name} is {value!r}, and must be a date or time as in 2026-01-31 or 2026-01-31T18:00:00+08:00"
        ) from None
    return (time.astimezone(UTC) if time.tzinfo else time).isoformat(timespec="seconds").removesuffix("+00:00")


def _parsed(name: str, text: str) -> NamedQuery:
    head = [line for line in text.splitlines() if line.startswith("--")]
    matches = (_PARAMETER.fullmatch(line) for line in head[1:])
    parameters = tuple(
        QueryParameter(one[1], one[2], (one[3] or "") if " =" in one[0] else None) for one in matches if one is not None
    )
    return NamedQuery(name, head[0].removeprefix("-- "), parameters, text)
