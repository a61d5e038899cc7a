"""One awkward store for all tests of exports, and a short way to export it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.store.layout import Store
from tests.bioner_core.export.awkward_store import awkward_store

Export = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    return awkward_store(tmp_path_factory.mktemp("awkward"))


@pytest.fixture
def export(store: Path, tmp_path: Path) -> Export:
    """Export the store; returns where, and the report."""

    def run(format_name: str, *, name: str = "", **selection: Any) -> tuple[Path, dict[str, Any]]:
        output = tmp_path / (name or f"out-{format_name}")
        return output, export_store(Store(store), output, format_name=format_name, selection=Selection(**selection))

    return run
