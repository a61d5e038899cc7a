"""Questions to a store: what the views hold, what the named queries answer, and what no query may do."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from little_stores import Event, commit_input
from store_samples import commit_sample, every_file

from bioner_core.errors import ConfigurationError, StoreError
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.query.answers import write_csv, write_json, write_parquet
from bioner_core.store.query.named_queries import named_queries, named_query
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.query.query_views import VIEWS
from bioner_core.store.snapshot.run_history import RunHistory, RunRow
from tests.bioner_core.export.awkward_store import commit, document, mentions_of

MEMORY = 256 * 1024**2


@pytest.fixture(scope="module", params=["snapshot", "shards"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an update, a deletion and a reject, compacted or not; its path holds a quotation mark."""
    folder = tmp_path_factory.mktemp("it's")
    commit_sample(folder)
    commit_input(folder, 1, [Event(11, words=3), Event(12)])
    commit_input(folder, 2, [Event(11, words=1), Event(12, deleted=True)])
    if request.param == "snapshot":
        compact_store(Store(folder), CompactionSettings(memory_bytes=MEMORY), history=_history())
    return folder


@pytest.fixture
def session(store: Path) -> Iterator[QuerySession]:
    """The store, open for questions."""
    with query_session(Store(store), memory_bytes=MEMORY, history=_history()) as opened:
        yield opened


def _history() -> RunHistory:
    run = RunRow(
        run_id="r1",
        job="annotate",
        started="2026-01-01",
        seconds=1.0,
        shards_committed=1,
        shards_skipped=0,
        shards_failed=0,
    )
    return RunHistory((run,), {_sample_shard(): "r1"})


def _sample_shard() -> str:
    from store_samples import descriptor

    return descriptor().shard_id


def rows(session: QuerySession, sql: str, **parameters: str) -> list[dict[str, Any]]:
    """The whole answer."""
    return list(session.ask(sql, parameters).read_all().to_pylist())


def named(session: QuerySession, name: str, **given: str) -> list[dict[str, Any]]:
    """The answer to a named query."""
    query = named_query(name)
    return rows(session, query.sql, **query.bound(given))


def test_the_views_hold_the_newest_state(session: QuerySession) -> None:
    """Catches outdated or withdrawn documents, accepted mixed with dropped, or a view without rows."""
    counts = {view: rows(session, f"SELECT count(*) AS n FROM {view}")[0]["n"] for view in VIEWS}  # noqa: S608
    assert counts == {
        "documents": 3,
        "mentions": 3,
        "candidates": 4,
        "rejects": 1,
        "deletions": 2,
        "lineage": 3,
        "shards": 3,
        "runs": 1,
        "entity_years": 3,
        "nested_entities": 1,
        "entity_pairs": 0,
        "entity_choices": 1,
        "headings": 0,
        "links": 0,
        "abbreviations": 0,
        "linked_mentions": 0,
        "concepts": 0,
        "concept_names": 0,
        "concept_years": 0,
        "concept_documents": 0,
        "concept_neighbours": 0,
    }
    assert rows(session, "SELECT DISTINCT source FROM candidates") == [{"source": "pubmed"}]


def test_lineage_leads_from_a_mention_to_its_input_run_and_model(session: QuerySession) -> None:
    """Catches a mention that nobody can trace back."""
    [found] = named(session, "lineage", mention="pubmed:0@1:p1:0-4:genia:protein")
    assert (found["input_file"], found["record_number"], found["run_id"]) == ("dump.xml", 0, "r1")
    assert (found["fingerprint"], found["job"], found["software_version"]) == ("f1", "annotate", "0.1.0")
    assert named(session, "lineage", mention="no mention") == []


def test_named_queries_answer_what_they_say(session: QuerySession) -> None:
    """Catches a named query that fails, or whose counts are not those of the rows."""
    top = named(session, "top_entities", from_year="2020")
    assert [(one["entity"], one["year"], one["mentions"]) for one in top] == [("w0", "2026", 1)]
    [pair] = named(session, "nested_pairs", outer="protein", inner="protein")
    assert (pair["outer_entity"], pair["inner_entity"]) == ("cd28 surface receptor", "cd28")
    # the one pair of the sample is nested, so that it is of `nested_pairs` alone
    assert named(session, "co_mentions") == named(session, "co_mentions", first="cd28") == []
    [dropped] = named(session, "dropped")
    assert (dropped["entity"], dropped["dropped"], dropped["kept"]) == ("surface", 1, 0)
    changes = {(one["change"], one["doc_id"]) for one in named(session, "changed_since", since="2020-01-01")}
    current = {("current", f"pubmed:{number}") for number in (0, 1, 11)}
    assert changes == current | {("withdrawn", "pubmed:2"), ("withdrawn", "pubmed:12")}
    assert named(session, "changed_since", since="2999") == []
    assert [one["reason"] for one in named(session, "rejects_by_reason")] == ["no_text"]


def test_one_list_over_all_years_counts_documents_without_a_year(session: QuerySession) -> None:
    """Catches a top list that is always by year, or that leaves out what has none."""
    by_year: Counter[tuple[str, str]] = Counter()
    for one in named(session, "top_entities", limit="1000"):
        by_year[one["type"], one["entity"]] += one["mentions"]
    found = named(session, "top_entities_all_years", limit="1000")
    assert {(one["type"], one["entity"]): one["mentions"] for one in found} == dict(by_year)
    assert any(not one["year"] for one in named(session, "top_entities", limit="1000"))
    counts = [one["mentions"] for one in found if one["type"] == found[0]["type"]]
    assert counts == sorted(counts, reverse=True)
    assert len(named(session, "top_entities_all_years", type=found[0]["type"], limit="1")) == 1


def test_every_named_query_says_what_it_answers() -> None:
    """Catches a query file without description, or one whose parameters are not those of its SQL."""
    for one in named_queries():
        assert one.answers.endswith("."), one.name
        assert all(f"${parameter.name}" in one.sql for parameter in one.parameters), one.name


def test_parameters_are_values_and_never_sql(session: QuerySession) -> None:
    """Catches an injection by a parameter."""
    assert named(session, "top_entities", type="' OR 1=1 --") == []
    assert named(session, "top_entities_all_years", type="' OR 1=1 --") == []
    with pytest.raises(ConfigurationError, match="whole number"):
        named(session, "top_entities", limit="1; DROP VIEW documents")


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("no_such", {}, "there are .*top_entities"),
        ("lineage", {}, "needs mention"),
        ("lineage", {"mention": "m", "x": "1"}, "no 'x'; it has mention"),
    ],
)
def test_wrong_names_are_said(session: QuerySession, name: str, given: dict[str, str], words: str) -> None:
    """Catches a message that does not say what there is instead."""
    with pytest.raises(ConfigurationError, match=words):
        named(session, name, **given)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{store}/stolen.csv'",
        "COPY (SELECT 1 AS doc_id) TO '{file}' (FORMAT parquet)",
        "COPY documents FROM '/etc/passwd'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}' (FORMAT parquet, USE_TMP_FILE false)",
        "EXPORT DATABASE '{store}/stolen'",
        "ATTACH '{store}/stolen.db'",
        "CREATE TABLE stolen AS SELECT 1",
        "DROP VIEW documents",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "PRAGMA enable_external_access",
        "INSTALL httpfs",
        "LOAD '/tmp/evil.so'",
        "CALL pragma_version()",
        "SELECT 1; DROP VIEW documents",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_text('{store}/manifests/../../../etc/passwd')",
        "SELECT * FROM read_text('{manifest}')",
        "SELECT * FROM read_csv('/proc/self/environ')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('https://127.0.0.1:9/x.parquet')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{store}/stolen.csv''')",
        "SELECT getenv('HOME')",
        "SELECT * FROM manifests",
        "SELECT * FROM secret_of_this_test",
        "WITH x AS (DELETE FROM documents RETURNING *) SELECT * FROM x",
        "not sql",
        "",
    ],
)
def test_queries_read_the_views_and_do_nothing_else(session: QuerySession, store: Path, sql: str) -> None:
    """Catches SQL that writes, reads other files or variables of this program, or opens the network."""
    import pyarrow as pa

    secret_of_this_test = pa.table({"x": [1]})
    before = every_file(store)
    some = next(path for path in sorted(store.rglob("*.parquet")))
    manifest = next(iter(sorted((store / "manifests").iterdir())))
    content = some.read_bytes()
    with pytest.raises(ConfigurationError):
        rows(
            session,
            sql.format(store=store, file=str(some).replace("'", "''"), manifest=str(manifest).replace("'", "''")),
        )
    assert secret_of_this_test.num_rows == 1
    assert (every_file(store), some.read_bytes()) == (before, content)
    assert rows(session, "SELECT count(*) AS n FROM documents") == [{"n": 3}]


def test_a_question_that_fails_half_way_is_told_like_any_other(session: QuerySession) -> None:
    """Catches a traceback where a cast fails on a row that is read late."""
    with pytest.raises(ConfigurationError, match="cannot be answered"):
        rows(session, "SELECT doc_id::INTEGER FROM documents")


def test_a_pattern_in_the_path_of_a_store_is_refused(tmp_path: Path) -> None:
    """Catches a query that reads the files of other stores because a folder is called like a pattern."""
    folder = tmp_path / "s*"
    folder.mkdir()
    commit_sample(folder)
    with pytest.raises(ConfigurationError, match="pattern"), query_session(Store(folder), memory_bytes=MEMORY):
        pass


def test_an_empty_store_answers_with_no_rows(tmp_path: Path) -> None:
    """Catches a view that cannot be made because there is no file."""
    for _ in range(2):
        with query_session(Store(tmp_path), memory_bytes=MEMORY) as opened:
            assert all(rows(opened, f"FROM {view}") == [] for view in VIEWS)
        compact_store(Store(tmp_path), CompactionSettings(memory_bytes=MEMORY))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Catches a traceback, or a pointless advice, where a file of the snapshot is damaged."""
    commit_sample(tmp_path)
    compact_store(Store(tmp_path), CompactionSettings(memory_bytes=MEMORY))
    for path in (tmp_path / "snapshots").rglob("*.parquet"):
        path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="verify"), query_session(Store(tmp_path), memory_bytes=MEMORY):
        pass


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1 AS a, 2 AS a, 3 AS A", ["a", "a_1", "A_2"]),
        ("SELECT 1 AS a, 2 AS a, 3 AS a_1", ["a", "a_2", "a_1"]),
        ("SELECT m.text, c.text FROM mentions AS m JOIN candidates AS c USING (mention_id)", ["text", "text_1"]),
    ],
)
def test_columns_of_one_name_are_all_there(session: QuerySession, tmp_path: Path, sql: str, names: list[str]) -> None:
    """Catches JSON that keeps the last of two columns of one name, and forms that name them differently."""
    written = io.StringIO()
    write_json(session.ask(sql), written)
    answer = json.loads(written.getvalue())
    assert answer["columns"] == names
    assert all([*row] == names for row in answer["rows"])
    assert answer["rows"]
    written = io.StringIO()
    write_csv(session.ask(sql), written)
    assert next(csv.reader(io.StringIO(written.getvalue()))) == names
    write_parquet(session.ask(sql), tmp_path / "answer.parquet")
    assert pq.read_schema(tmp_path / "answer.parquet").names == names


def test_a_pair_is_listed_once_whatever_is_asked_for(tmp_path: Path) -> None:
    """Catches a pair of two entities of one type that is listed from both sides where only one type is given."""
    one = document("pubmed:1", ("title", "CD28 binds IL-2 in T cells"))
    found = [("CD28", "genia", "protein", True), ("IL-2", "genia", "protein", True), ("T cells", "genia", "cell", True)]
    commit(tmp_path / "store", [(one, mentions_of(one, found))])
    both = {("cd28", "il-2"), ("cd28", "t cells"), ("il-2", "t cells")}
    asked: dict[tuple[str, ...], set[tuple[str, str]]] = {
        (): both,
        ("first_type=protein",): both,
        ("first_type=protein", "second_type=protein"): {("cd28", "il-2")},
        ("second_type=protein",): {("cd28", "il-2"), ("t cells", "cd28"), ("t cells", "il-2")},
        ("first=il-2",): {("il-2", "t cells"), ("il-2", "cd28")},
        ("first=il-2", "second_type=protein"): {("il-2", "cd28")},
    }
    with query_session(Store(tmp_path / "store"), memory_bytes=MEMORY) as opened:
        for given, pairs in asked.items():
            answer = named(opened, "co_mentions", **dict(one.split("=") for one in given))
            listed = [(row["first_entity"], row["second_entity"]) for row in answer]
            assert (len(listed), set(listed)) == (len(pairs), pairs), given


def test_what_the_document_pass_gave_another_type_was_not_turned_down(tmp_path: Path) -> None:
    """Catches a sure candidate, whose name has another type elsewhere in its document, among the selector's choices."""
    one = document("pubmed:1", ("title", "CD28 and CD40 and CD52"))
    found = [(name, "genia", "protein", False) for name in ("CD28", "CD40", "CD52")]
    decoded = mentions_of(one, found)
    retyped = [
        replace(m, mention_id=f"{m.mention_id}x", type="DNA", accepted=True, origin="repeat", selector_score=score)
        for m, score in zip(decoded[:2], (decoded[0].selector_score, 0.7), strict=True)
    ]
    commit(tmp_path / "store", [(one, [*decoded, *retyped])])
    with query_session(Store(tmp_path / "store"), memory_bytes=MEMORY) as opened:
        dropped = {row["entity"] for row in rows(opened, "SELECT entity FROM entity_choices")}
    assert dropped == {"cd40", "cd52"}
