"""The promises' own file: that what it names is there. Breaking them all is `python -m tests.promises`."""

import ast
from pathlib import Path

import pytest

from tests.promises.promise import REPOSITORY, Promise, read_promises
from tests.promises.promises_page import Sighting, promises_page


@pytest.mark.parametrize("promise", read_promises(), ids=lambda one: one.promise)
def test_what_guards_a_promise_is_there(promise: Promise, tmp_path: Path) -> None:
    """Catches a guarding test or a line to be broken that has moved, so that nothing would be checked any more."""
    file, _, name = promise.test.partition("::")
    tree = ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    copy = tmp_path / promise.file
    copy.parent.mkdir(parents=True)
    copy.write_text((REPOSITORY / promise.file).read_text(encoding="utf-8"), encoding="utf-8")
    promise.break_in(tmp_path)
    ast.parse(copy.read_text(encoding="utf-8"))


def test_the_page_lists_every_promise() -> None:
    """Catches a promise that was added to the file and not to the page, or a page with one that nobody notices."""
    page = (REPOSITORY / "docs" / "promises.md").read_text(encoding="utf-8")
    assert all(one.promise in page and one.test.partition("::")[2] in page for one in read_promises())
    assert "not noticed" not in page


def test_a_promise_that_nobody_notices_is_told() -> None:
    """Catches a page that calls every promise guarded."""
    [one, *_] = read_promises()
    assert "**not noticed**" in promises_page([Sighting(one, noticed=False, seen="1 passed")])
    assert "noticed: `assert 1 == 2`" in promises_page([Sighting(one, noticed=True, seen="assert 1 == 2")])
