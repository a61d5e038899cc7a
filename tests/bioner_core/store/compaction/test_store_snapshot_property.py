"""A snapshot, and the views without one, are what the newest version rule says, whatever happened in whatever order."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from little_stores import Event, commit_input, newest

from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.history.current_rows import current_documents, current_mentions
from bioner_core.store.layout import Store
from bioner_core.store.query.query_session import query_session
from bioner_core.store.snapshot.snapshot_reading import open_snapshot

MEMORY = 256 * 1024**2
EVENTS = st.builds(
    Event,
    number=st.integers(1, 4),
    version=st.integers(1, 2),
    deleted=st.sampled_from([False, False, True]),
    words=st.integers(0, 3),
)
INPUTS = st.lists(st.lists(EVENTS, min_size=1, max_size=7), min_size=1, max_size=3)
QUESTIONS = (
    "SELECT doc_id, version, meta.record_number AS record, meta.input_file AS file FROM documents ORDER BY 1",
    "SELECT * FROM candidates ORDER BY mention_id",
    "SELECT * FROM mentions ORDER BY mention_id",
    "SELECT * FROM lineage ORDER BY doc_id",
    "SELECT * FROM entity_years ORDER BY ALL",
    "SELECT * FROM nested_entities ORDER BY ALL",
    "SELECT * FROM entity_pairs ORDER BY ALL",
    "SELECT * FROM entity_choices ORDER BY ALL",
)


@pytest.mark.slow
@settings(max_examples=8)
@given(INPUTS)
def test_snapshot_is_the_newest_version_rule(inputs: list[list[Event]]) -> None:
    """Catches a lost, doubled or outdated document, and mentions of another copy or version than the one shown."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        for number, events in enumerate(inputs, 1):
            commit_input(store, number, events)
        from_shards = _answers(store)
        compact_store(Store(store), CompactionSettings(memory_bytes=MEMORY, file_bytes=1))
        snapshot = open_snapshot(Store(store))
        assert snapshot is not None
        documents, mentions = list(snapshot.documents()), list(snapshot.mentions())
        shown = {
            one.doc_id: (one.version, int(one.meta.input_file[10:13]) - 1, one.meta.record_number) for one in documents
        }
        assert shown == newest(inputs)
        assert len(documents) == len(shown)
        assert documents == sorted(current_documents(Store(store)), key=lambda one: one.doc_id)
        assert sorted(mentions, key=repr) == sorted(current_mentions(Store(store)), key=repr)
        assert [one.doc_id for one in mentions] == sorted(one.doc_id for one in mentions)
        assert _answers(store) == from_shards


def _answers(store: Path) -> list[object]:
    with query_session(Store(store), memory_bytes=MEMORY) as session:
        return [session.ask(question).read_all().to_pylist() for question in QUESTIONS]
