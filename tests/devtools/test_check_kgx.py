"""A graph that the package kgx reads back, and prefixes that others know."""

import json
from pathlib import Path

import pytest

from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.linking.linker import Linker
from bioner_core.store.layout import Store
from devtools import check_kgx
from devtools.check_kgx import main, prefixes
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import awkward_store
from tests.bioner_core.linking.linked_concepts import link_alone


def test_prefixes_that_nobody_knows_are_told_apart() -> None:
    """Catches a misspelt prefix of a vocabulary that passes as bioner's own, and documents that count as unknown."""
    document, concept = {"category": ["biolink:Publication"]}, {"category": ["biolink:Disease"]}
    nodes = {
        "PMID:1": document, "jsonl:a": document, "bioner.entity:1": concept, "MESH:D1": concept, "Mesh:D1": concept,
        "MESH:D2": concept,
    }  # fmt: skip
    found = prefixes(nodes, known={"MESH": "biolink", "PMID": "biolink"})
    assert {prefix: (one["nodes"], one["known_as"]) for prefix, one in found.items()} == {
        "PMID": (1, "biolink"),
        "jsonl": (1, "own"),
        "bioner.entity": (1, "own"),
        "MESH": (2, "biolink"),
        "Mesh": (1, ""),
    }


def test_without_the_package_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a traceback where kgx is not installed."""
    monkeypatch.setattr(check_kgx, "find_spec", lambda _: None)
    assert main([str(tmp_path)]) == 2
    assert "pip install kgx" in capsys.readouterr().err


def test_the_package_reads_a_linked_graph_without_a_dangling_edge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a file that the package itself refuses, and nodes that edges name and nobody wrote."""
    pytest.importorskip("kgx", reason="the package kgx is not installed")
    store = awkward_store(tmp_path)
    link_alone(Store(store), Linker([made_vocabulary(tmp_path)]))
    export_store(Store(store), tmp_path / "graph", format_name="kgx", selection=Selection())
    main([str(tmp_path / "graph")])
    found = json.loads(capsys.readouterr().out)
    assert found["nodes"] > 0
    assert (found["dangling"], found["without_category"]) == (0, 0)
