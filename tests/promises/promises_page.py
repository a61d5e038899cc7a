"""The page of promises: what is promised, which test guards it, and what was seen when it was broken."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tests.promises.promise import Promise

_HEAD = """# What is promised, and what guards it

Each promise has a test that fails when it is broken. This page is made by breaking them all, one after another, in a
copy of the project; `tests/promises/promises.toml` says how:

    python -m tests.promises --page docs/promises.md
"""
_LONGEST = 110


@dataclass(frozen=True, slots=True)
class Sighting:
    """Whether the test failed when the promise was broken, and the first line of its failure."""

    promise: Promise
    noticed: bool
    seen: str


def promises_page(sightings: Sequence[Sighting]) -> str:
    """The page as Markdown."""
    blocks = [_HEAD]
    for topic, found in groupby(sightings, key=lambda one: one.promise.topic):
        rows = ["| promise | test | broken on purpose |", "| --- | --- | --- |", *(_row(one) for one in found)]
        blocks.append(f"## {topic}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(blocks)


def _row(one: Sighting) -> str:
    seen = one.seen if len(one.seen) <= _LONGEST else one.seen[: _LONGEST - 1] + "…"
    answer = f"noticed: `{seen.replace('`', '')}`" if one.noticed else "**not noticed**"
    file, _, name = one.promise.test.partition("::")
    return " | ".join(("", one.promise.promise, f"`{name}` in `{file}`", answer.replace("|", "¦"), "")).strip()
