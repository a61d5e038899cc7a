"""The bench of the pages asks pages that answer."""

import json
from pathlib import Path

import pytest

from devtools.bench_site import main

pytestmark = pytest.mark.slow


def test_every_page_of_a_little_store_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a bench whose pages are errors, or whose links nobody finds."""
    assert main(["--documents", "60", "--mentions", "900", "--store", str(tmp_path / "store")]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["documents"], found["mentions"]) == (60, 900)
    pages = [one["page"] for one in found["pages"]]
    assert pages[0] == "/"
    assert len([one for one in pages if one.startswith("/concept?")]) == 2
