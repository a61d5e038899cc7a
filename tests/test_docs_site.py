"""The docs site: pages made from the code, the strict build, and the notebook from top to bottom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import bioner
from bioner_core.errors import ModelError
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import read_card
from devtools.site_pages import generated_pages
from jobs.main import COMMANDS

REPOSITORY = Path(__file__).resolve().parent.parent
NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The pages that are made from the code."""
    return generated_pages()


def test_every_command_and_public_name_is_on_the_site(pages: dict[str, str]) -> None:
    """Catches a command or a name that the reference leaves out."""
    assert not [name for name in COMMANDS if f"## bioner {name}\n" not in pages["command_options.md"]]
    assert "--token-budget" in pages["command_options.md"]
    names = [name for name in bioner.__all__ if name != "__version__"]
    assert not [name for name in names if f".{name}\n" not in pages["api.md"]]


def test_every_page_is_in_the_navigation(pages: dict[str, str]) -> None:
    """Catches a page that nobody finds, and an entry without a page."""
    text = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").replace("!!python/name:", "")
    entries = yaml.safe_load(text)["nav"]
    named = {page for entry in entries for page in _pages_of(entry)}
    assert named == {path.name for path in (REPOSITORY / "docs").glob("*.md")} | set(pages)


def _pages_of(entry: dict[str, object]) -> list[str]:
    (value,) = entry.values()
    return [page for one in value for page in _pages_of(one)] if isinstance(value, list) else [str(value)]


@pytest.mark.slow
def test_the_site_builds_strictly(tmp_path: Path) -> None:
    """Catches a link to a page or heading that is not there, and a docstring that the reference cannot show."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # what its makers say of its successor is no fault of a page
    done = subprocess.run(words, cwd=REPOSITORY, env=quiet, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    api = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    assert "code points" in (tmp_path / "site" / "glossary.html").read_text(encoding="utf-8")
    assert "tag_all" in api


def code_cells() -> list[str]:
    """The code of the notebook, cell by cell."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]


def test_the_notebook_is_stored_without_outputs() -> None:
    """Catches outputs of somebody's machine in the repository, and a cell that is no Python."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert not [one for one in cells if one.get("outputs") or one.get("execution_count")]
    for source in code_cells():
        compile(source, "cell", "exec")


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """Catches an example of the public API that nobody can run."""
    try:
        base_folder(read_card(model_folder()).base)
    except ModelError as error:
        pytest.skip(str(error))
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(code_cells()), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CD28" in done.stdout
