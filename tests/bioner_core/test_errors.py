"""Sentences of errors: what they tell a person to type works."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = ("bioner", "bioner_core", "jobs", "pipelines", "devtools")


def test_what_is_to_be_installed_is_an_extra_of_the_checkout() -> None:
    """Catches advice to install a package that is published nowhere, or an extra that was renamed."""
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    sources = [path for name in PROGRAMS for kind in ("*.py", "*.toml") for path in (REPOSITORY / name).rglob(kind)]
    texts = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in sources}
    advised = [extra for text in texts.values() for extra in re.findall(r"""install_words\(["'](\w+)""", text)]
    assert set(advised) >= {"serve", "publish", "buckets", "qlora"}
    assert set(advised) <= extras.keys()
    others = r"""pip install ["']bioner|install bioner with"""
    assert [name for name, text in texts.items() if re.search(others, text)] == []
