"""Records from damaged or foreign JSON: of the declared types, or refused."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bioner_core.store.manifest import Counts
from bioner_core.tagging.scheme import TagScheme
from bioner_core.typed_json import loaded_json, typed


@dataclass(frozen=True, slots=True)
class Sample:
    """One field of each kind."""

    name: str
    order: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    seconds: float
    counts: Counts = field(default_factory=Counts)
    scheme: TagScheme = TagScheme.LINES
    words: dict[str, list[str]] = field(default_factory=dict)
    share: float | None = None
    free: dict[str, Any] = field(default_factory=dict)


GOOD: dict[str, Any] = {"name": "a", "order": [26, 1], "ranges": [[0, 1]], "seconds": 1}


def test_a_record_has_its_types() -> None:
    """Would catch lists that stay lists, so that equal records differ, and later fields that are demanded."""
    given = GOOD | {"counts": {"rows": 2}, "scheme": "inline", "words": {"a": ["b"]}, "share": 0.5, "free": {"x": [1]}}
    found = typed(Sample, given)
    assert found == Sample("a", (26, 1), ((0, 1),), 1, Counts(rows=2), TagScheme.INLINE, {"a": ["b"]}, 0.5, {"x": [1]})
    assert typed(Sample, GOOD).counts == Counts()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 7},
        {"name": "\ud800"},
        {"order": "26"},
        {"order": [True]},
        {"order": ["a"]},
        {"ranges": [[1]]},
        {"ranges": [[1, 2, 3]]},
        {"seconds": "1"},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"counts": []},
        {"counts": {"no_such": 1}},
        {"scheme": "none"},
        {"words": {"a": "b"}},
        {"words": []},
        {"share": "x"},
        {"free": 1},
        {"stranger": 1},
    ],
)
def test_other_types_are_refused(changes: dict[str, Any]) -> None:
    """Would catch a damaged record that is only noticed by a traceback far from its file."""
    with pytest.raises(ValueError, match=r"."):
        typed(Sample, GOOD | changes)


@pytest.mark.parametrize("value", [[], None, "a", {"name": "a"}])
def test_what_is_no_record_is_refused(value: object) -> None:
    """Would catch a list, a null or half a record that is taken for one."""
    with pytest.raises(ValueError, match=r"no object|missing"):
        typed(Sample, value)


def test_deep_json_is_no_crash() -> None:
    """Would catch a note of ten thousand brackets that ends the program with RecursionError."""
    with pytest.raises(ValueError, match="deep"):
        loaded_json("[" * 100_000)
    with pytest.raises(json.JSONDecodeError):
        loaded_json("{")
