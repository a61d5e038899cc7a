"""The newest documents with their mentions: the same from committed shards and from a snapshot."""

from dataclasses import replace
from pathlib import Path

from bioner_core.mentions import Mention
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.document_mentions import DocumentMentions, joined
from bioner_core.store.layout import Store
from bioner_core.store.mention_ids import document_prefix
from bioner_core.store.newest import open_newest
from tests.bioner_core.export.awkward_store import DOCUMENTS, MENTIONS, awkward_store, commit, document, mentions_of


def by_id(found: list[DocumentMentions]) -> dict[str, DocumentMentions]:
    """The documents by their ids; no id occurs twice."""
    assert len({one.document.doc_id for one in found}) == len(found)
    return {one.document.doc_id: one for one in found}


def test_shards_and_snapshot_give_the_same(tmp_path: Path) -> None:
    """Catches a snapshot that is passed over, mentions that lose their document, and a lost fingerprint."""
    store = awkward_store(tmp_path)
    shards = open_newest(Store(store))
    expected = by_id(list(shards.documents()))
    assert shards.origin == "shards"
    assert {name: one.document for name, one in expected.items()} == DOCUMENTS
    assert {one.mention_id for found in expected.values() for one in found.mentions} == set(MENTIONS)
    report = compact_store(Store(store))
    snapshot = open_newest(Store(store))
    assert snapshot.origin == f"snapshot:{report.manifest.snapshot_id}"
    assert by_id(list(snapshot.documents())) == expected
    for newest in (shards, snapshot):
        assert {name: newest.document(name) for name in expected} == expected
        assert newest.document("pubmed:8") is None


def test_a_superseded_version_is_not_shown(tmp_path: Path) -> None:
    """Catches a look-up by id that stops at the first shard that has the document."""
    store = tmp_path / "store"
    for version, text in ((2, "The new CD28"), (1, "CD28 old")):
        one = document("pubmed:1", ("title", text), version=version)
        commit(store, [(one, mentions_of(one, [("CD28", "genia", "protein", True)]))], name=f"v{version}")
    found = open_newest(Store(store)).document("pubmed:1")
    assert found is not None
    assert (found.document.version, [one.start for one in found.mentions]) == (2, [8])


def test_of_two_versions_in_one_shard_the_newer_is_shown(tmp_path: Path) -> None:
    """Catches a shard of which every record goes out because one of them is current."""
    versions = [document("pubmed:1", ("title", "CD28"), version=number + 1, record_number=number) for number in (0, 1)]
    wanted = [("CD28", "genia", "protein", True)]
    commit(tmp_path, [(one, mentions_of(one, wanted)) for one in versions])
    newest = open_newest(Store(tmp_path))
    assert [one.document.version for one in newest.documents()] == [2]
    found = newest.document("pubmed:1")
    assert found is not None
    assert [one.doc_version for one in found.mentions] == [2]


def test_each_copy_of_a_document_gets_its_own_mentions() -> None:
    """Catches mentions of a repeated record that are given to its first copy, or to both."""
    first = document("pubmed:1", ("title", "CD28 twice"), record_number=3)
    second = replace(first, meta=replace(first.meta, record_number=5))
    own = mentions_of(first, [("CD28", "genia", "protein", True)])
    plain = document_prefix("pubmed:1", 1)
    repeat = document_prefix("pubmed:1", 1, repeat_of_record=5)
    copies: list[Mention] = [replace(one, mention_id=one.mention_id.replace(plain, repeat)) for one in own]
    found = list(joined([second, first], [*copies, *own]))
    assert [one.document.meta.record_number for one in found] == [3, 5]
    assert [list(one.mentions) for one in found] == [own, copies]


def test_documents_without_mentions_and_mentions_without_documents_do_no_harm() -> None:
    """Catches a join that loses its place at a gap."""
    documents = [document(f"pubmed:{number}", ("title", "CD28")) for number in (1, 2, 4)]
    gone = document("pubmed:3", ("title", "CD28"))
    wanted = [("CD28", "genia", "protein", True)]
    mentions = [*mentions_of(documents[1], wanted), *mentions_of(gone, wanted), *mentions_of(documents[2], wanted)]
    assert [len(one.mentions) for one in joined(documents, mentions)] == [0, 1, 1]
