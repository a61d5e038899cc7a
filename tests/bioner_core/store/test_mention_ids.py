"""Ids of mentions: how they are read, and which copy of a document owns a mention, wherever that is asked."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from store_samples import descriptor, document, mention, writer

from bioner_core.mentions import Mention
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.document_mentions import shard_documents
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.mention_ids import AFTER_DOC_ID, document_prefix, mention_prefix, owner_record, place_suffix
from bioner_core.store.newest import open_newest
from bioner_core.store.query.query_session import query_session

MEMORY = 256 * 1024**2


@pytest.mark.parametrize("doc_id", ["pubmed:1", "a@1:p0:1-2:x:y", "a@2#r7:p0:1-2:x:y", "two\nlines"])
@pytest.mark.parametrize("record", [None, 12])
def test_an_id_is_read_as_it_was_made(doc_id: str, record: int | None) -> None:
    """Catches an id that is cut at a sign of its `doc_id`, in Python or in DuckDB."""
    suffix = place_suffix(3, start=4, end=9, label_set="genia", type_name="odd:p1:2-3:type")
    mention_id = document_prefix(doc_id, 2, repeat_of_record=record) + suffix
    one = replace(mention(1, 4, 9, kind="odd:p1:2-3:type"), mention_id=mention_id, doc_id=doc_id, passage_index=3)
    assert mention_prefix(one) == document_prefix(doc_id, 2, repeat_of_record=record)
    assert owner_record(one, first_record=5) == (5 if record is None else record)
    behind = mention_id.removeprefix(doc_id)
    found = re.match(AFTER_DOC_ID, behind)
    assert found is not None
    with duckdb.connect() as database:
        asked = database.execute(
            f"SELECT regexp_extract($behind, '^({AFTER_DOC_ID})', 1)", {"behind": behind}
        ).fetchone()
    assert asked == (found.group(),)
    assert behind.removeprefix(found.group()) == "odd:p1:2-3:type"


def _copies(store: Path) -> Manifest:
    """A shard with two further copies of a document version, as where the first one in the dump was rejected whole."""
    filled = writer(store, of=descriptor(0, 2))
    texts = {0: "IL-2 binds", 1: "CD28 binds"}
    filled.add_documents([replace(document(one, text=texts[one]), doc_id="pubmed:0") for one in texts])
    filled.add_mentions([_mention(record, text[:4].strip("-")) for record, text in texts.items()])
    return filled.commit(Counts(records_in=2, annotated=2, mentions=2, mentions_accepted=2), seconds=0)


def _mention(record: int, text: str) -> Mention:
    prefix = document_prefix("pubmed:0", 1, repeat_of_record=record)
    suffix = place_suffix(1, start=0, end=len(text), label_set="genia", type_name="protein")
    return replace(mention(0, 0, len(text)), mention_id=prefix + suffix, text=text)


def test_all_readers_agree_whose_a_mention_is(tmp_path: Path) -> None:
    """Catches a copy that is shown without its mentions because the first one in the dump, whose ids have no record
    number, was rejected."""
    manifest = _copies(tmp_path)
    store = Store(tmp_path)
    found = {one.document.meta.record_number: one.mentions for one in shard_documents(store, manifest)}
    assert {record: [one.text for one in mentions] for record, mentions in found.items()} == {0: ["IL-2"], 1: ["CD28"]}
    assert verify_store(store).sound
    for compacted in (False, True):
        if compacted:
            compact_store(store, CompactionSettings(memory_bytes=MEMORY))
        [newest] = open_newest(store).documents()
        assert [one.text for one in newest.mentions] == ["CD28"]
        with query_session(store, memory_bytes=MEMORY) as session:
            assert session.ask("SELECT text FROM candidates").read_all().to_pylist() == [{"text": "CD28"}]


@pytest.mark.parametrize("wrong", ["pubmed:0@1#r5:p1:0-4:genia:protein", "pubmed:0@1#r01:p1:0-4:genia:protein"])
def test_a_mention_of_no_copy_is_found(tmp_path: Path, wrong: str) -> None:
    """Catches an id that names a record which the shard has not, or names it otherwise than ids are made."""
    filled = writer(tmp_path, of=descriptor(0, 2))
    filled.add_documents([replace(document(one, text="CD28 binds"), doc_id="pubmed:0") for one in (0, 1)])
    filled.add_mentions([replace(mention(0, 0, 4), mention_id=wrong)])
    filled.commit(Counts(records_in=2, annotated=2, mentions=1, mentions_accepted=1), seconds=0)
    assert any("belongs to no document" in fault for fault in verify_store(Store(tmp_path)).faults)
