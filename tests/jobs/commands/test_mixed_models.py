"""A store that two models made: every verb says so, and can be asked of one alone."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import WordService, null_job

from bioner_core.store.history.model_notes import note_model
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.annotate import run_annotation


@pytest.fixture(scope="module", params=["shards", "snapshot"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three documents of the one model, then two of the other."""
    folder = tmp_path_factory.mktemp("mixed")
    store = folder / "store"
    for name, model, count in (("old", "a" * 64, 3), ("new", "b" * 64, 2)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"id": f"{name}{n}", "text": f"{name} binds"}) + "\n" for n in range(count)))
        run_annotation(null_job(store, path, fingerprint=model), service_factory=WordService)
        [made] = {one.fingerprint for one in read_manifests(Store(store)) if one.input_file.endswith(path.name)}
        note_model(Store(store), made, words={"model": f"{name}-model"})
    if request.param == "snapshot":
        from bioner_core.store.compaction.compact import compact_store

        assert len(compact_store(Store(store)).manifest.fingerprints) == 2
    return store


def ask(bioner: Command, store: Path, sql: str, *words: str) -> tuple[list[list[str]], str]:
    """The rows of an answer, and what was said beside it."""
    done = bioner("query", "--store", store, "--format", "csv", *words, sql)
    assert done.code == 0, done.err
    return [line.split(",") for line in done.out.splitlines()[1:]], done.err


def test_a_query_says_that_models_are_mixed(bioner: Command, store: Path) -> None:
    """Catches counts over two models that pass for those of one."""
    rows, said = ask(bioner, store, "SELECT count(*) FROM documents")
    assert rows == [["5"]]
    assert "annotated by 2 models" in said
    assert "old-model" in said
    assert "new-model" in said


@pytest.mark.parametrize(("model", "count"), [("old-model", 3), ("new-model", 2)])
def test_a_query_asks_of_one_model(bioner: Command, store: Path, model: str, count: int) -> None:
    """Catches a view that keeps rows of the other model: documents, mentions, lineage, shards, or the ready counts."""
    for view in ("documents", "lineage"):
        assert ask(bioner, store, f"SELECT count(*) FROM {view}", "--model", model)[0] == [[str(count)]]  # noqa: S608
    words, said = ask(
        bioner, store, "SELECT DISTINCT text FROM mentions WHERE length(text) > 1 ORDER BY 1", "--model", model
    )
    assert words == [["binds"], [model[:3]]]
    assert "models" not in said
    found, _ = ask(
        bioner, store, "SELECT entity, documents FROM entity_years WHERE type = 'word' ORDER BY 1", "--model", model
    )
    assert found == [["binds", str(count)], [model[:3], str(count)]]


def test_a_model_is_named_by_its_digits_too(bioner: Command, store: Path) -> None:
    """Catches models that nobody noted by name, as in every older store, that cannot be asked for."""
    fingerprint = next(iter(read_manifests(Store(store)))).fingerprint
    [[documents]], _ = ask(bioner, store, "SELECT count(*) FROM documents", "--model", fingerprint[:8])
    assert documents in ("2", "3")


@pytest.mark.parametrize("words", [["query", "SELECT 1"], ["export", "--format", "jsonl", "--output", "out.jsonl"]])
def test_a_model_that_the_store_lacks_is_refused(
    bioner: Command, store: Path, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an empty answer for a name that is not there."""
    monkeypatch.chdir(tmp_path)
    done = bioner(*words, "--store", store, "--model", "nobody")
    assert done.code == 2
    assert "old-model" in done.err


def test_an_export_may_be_of_one_model(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches an export that mixes models in silence."""
    done = bioner("export", "--store", store, "--format", "jsonl", "--output", tmp_path / "all.jsonl")
    assert "(3 documents)" in done.out
    done = bioner(
        "export", "--store", store, "--format", "jsonl", "--output", tmp_path / "one.jsonl", "--model", "new-model"
    )
    assert done.code == 0
    found = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    assert len(found) == 2


def test_a_report_says_what_one_model_for_all_would_cost(bioner: Command, store: Path) -> None:
    """Catches a store of two models whose owner cannot tell what it takes to make it one."""
    again = json.loads(bioner("report", "--store", store, "--json").out)["reannotation"]
    assert again["documents"] in (2, 3)
    assert again["seconds"] >= 0
    assert sorted(again["documents_by_model"].values()) == [2, 3]
    assert "to annotate again what is older" in bioner("report", "--store", store).out


def test_status_names_the_models(bioner: Command, store: Path) -> None:
    """Catches a line of sixteen digits that says nothing to anybody."""
    said = bioner("status", "--store", store).out
    assert "(model old-model)" in said
    assert "none is at work on this store" in said
