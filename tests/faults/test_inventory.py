"""The inventory of faults in the documentation names tests that exist."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_fault_has_the_test_that_is_named() -> None:
    """Would catch a promise whose test was renamed or removed."""
    text = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("## The soak")[0].splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    assert [row for row in rows if not _NAMED.search(row)] == []
    missing = [
        f"{path}::{name}"
        for path, name in _NAMED.findall(text)
        if f"def {name}(" not in (REPOSITORY / "tests" / path).read_text(encoding="utf-8")
    ]
    assert missing == []
