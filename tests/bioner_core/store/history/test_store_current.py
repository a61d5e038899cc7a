"""The newest state of stores that no ledger knows, document indexes that are made anew, and copies within one shard."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import commit_sample, descriptor, document, mention, writer

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.errors import StoreError
from bioner_core.store.history.current import count_current
from bioner_core.store.history.current_rows import current_documents, current_mentions
from bioner_core.store.history.document_index import index_files, text_digest
from bioner_core.store.layout import Store, input_key, shard_id
from bioner_core.store.manifest import Counts
from bioner_core.store.reading import read_manifests


def test_an_empty_store_has_no_newest_state(tmp_path: Path) -> None:
    """Would catch a first night that fails because there is nothing yet."""
    assert list(current_documents(Store(tmp_path))) == list(current_mentions(Store(tmp_path))) == []
    assert count_current(Store(tmp_path), source="pubmed") == 0


def test_what_one_shard_withdraws_is_gone_and_the_rest_is_there(tmp_path: Path) -> None:
    """Would catch documents or mentions that are lost between shards and the newest state."""
    commit_sample(tmp_path)
    assert [one.doc_id for one in current_documents(Store(tmp_path))] == ["pubmed:0", "pubmed:1"]
    assert len(list(current_mentions(Store(tmp_path)))) == 3
    assert count_current(Store(tmp_path), source="pubmed") == 2
    assert count_current(Store(tmp_path), source="pub") == 0


def test_of_copies_in_one_shard_the_last_is_shown_with_its_own_mentions(tmp_path: Path) -> None:
    """Would catch the mentions of an earlier copy of a document shown beside the text of the later one."""
    filled = writer(tmp_path, of=descriptor(0, 2))
    first, second = document(5), document(5, text="CD28 again")
    second = Document(
        second.doc_id, second.source, second.version, second.lang, second.passages, DocumentMeta(record_number=9)
    )
    own = mention(5, 0, 4)
    filled.add_documents([first, second])
    repeated = own.mention_id.replace("@1:", "@1#r9:")
    filled.add_mentions([own, replace(own, mention_id=repeated), mention(5, 5, 12)])
    counts = Counts(records_in=2, annotated=2, mentions=3, mentions_accepted=3)
    filled.commit(counts, seconds=0)
    assert [one.passages[1].text for one in current_documents(Store(tmp_path))] == ["CD28 again"]
    assert [one.mention_id for one in current_mentions(Store(tmp_path))] == [repeated]


def test_registers_are_made_anew_when_they_do_not_fit(tmp_path: Path) -> None:
    """Would catch a newest state that is read from a document index of shards that are gone, or damaged by a kill."""
    commit_sample(tmp_path)
    count_current(Store(tmp_path), source="pubmed")
    [path] = index_files(Store(tmp_path))
    path.write_bytes(b"PAR1 damaged")
    assert count_current(Store(tmp_path), source="pubmed") == 2
    made = path.stat().st_mtime_ns
    assert count_current(Store(tmp_path), source="pubmed") == 2
    assert path.stat().st_mtime_ns == made
    commit_sample(tmp_path, of=descriptor(4, 8))
    assert count_current(Store(tmp_path), source="pubmed") == 4


def test_a_lost_data_file_is_named(tmp_path: Path) -> None:
    """Would catch a newest state that is silently smaller because a file is gone."""
    manifest = commit_sample(tmp_path)
    (tmp_path / next(file.path for file in manifest.files if file.table == "documents")).unlink()
    assert list(read_manifests(Store(tmp_path))) == [manifest]
    with pytest.raises(StoreError, match="documents"):
        count_current(Store(tmp_path), source="pubmed")


def test_the_digest_covers_all_that_mentions_depend_on() -> None:
    """Would catch mentions carried over although the text, its place, its language or its document is another."""
    one = document(1)
    assert text_digest(one) == text_digest(document(1, version=2))
    others = [
        document(2),
        document(1, text="other"),
        *(
            Document(one.doc_id, one.source, one.version, one.lang, (one.passages[0], passage))
            for passage in (
                Passage("title", "METHODS", "en", one.passages[1].text),
                Passage("abstract", "RESULTS", "en", one.passages[1].text),
                Passage("abstract", "METHODS", "zh", one.passages[1].text),
            )
        ),
        Document(one.doc_id, one.source, one.version, one.lang, one.passages[:1]),
    ]
    assert len({text_digest(other) for other in [one, *others]}) == 1 + len(others)


TITLE, ABSTRACT = "白细胞介素与T细胞", "白细胞介素2激活T细胞。"
RICH, POOR, CORRECTED = (TITLE, ABSTRACT), (TITLE,), (TITLE, ABSTRACT.replace("。", "!"))


def commit_export(store: Path, texts: tuple[str, ...], *, name: str, source: str = "cnki") -> None:
    """Commit one record of an article as the only one of a file of its own."""
    one = replace(descriptor(0, 1), source=source, shard_id=shard_id(input_key(name, name), 0, last=1))
    passages = tuple(
        Passage(section, "", "zh", text) for section, text in zip(("title", "abstract"), texts, strict=False)
    )
    filled = writer(store, of=one)
    filled.add_documents([Document("cnki:a", source, 1, "zh", passages, DocumentMeta(record_number=0))])
    filled.commit(Counts(records_in=1, annotated=1), seconds=0)


@pytest.mark.parametrize("names", [("a.txt", "b.txt"), ("b.txt", "a.txt")])
@pytest.mark.parametrize("texts", [(RICH, POOR), (POOR, RICH)])
def test_an_export_of_titles_does_not_replace_abstracts(
    tmp_path: Path, names: tuple[str, str], texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """Would catch an abstract that is gone from the newest state because a poorer export was read after it."""
    for name, text in zip(names, texts, strict=True):
        commit_export(tmp_path, text, name=name)
    [found] = current_documents(Store(tmp_path))
    assert tuple(one.text for one in found.passages) == RICH
    assert count_current(Store(tmp_path), source="cnki") == 1


def test_of_records_with_as_much_text_the_newest_counts(tmp_path: Path) -> None:
    """Would catch a first export that can never be corrected."""
    commit_export(tmp_path, RICH, name="a.txt")
    time.sleep(1.1)  # commits are ordered by their second
    commit_export(tmp_path, CORRECTED, name="b.txt")
    [found] = current_documents(Store(tmp_path))
    assert tuple(one.text for one in found.passages) == CORRECTED


def test_a_shorter_record_of_a_stable_id_is_a_correction(tmp_path: Path) -> None:
    """Would catch PubMed's corrections that are kept out because they are shorter."""
    commit_export(tmp_path, RICH, name="a.txt", source="jsonl")
    time.sleep(1.1)
    commit_export(tmp_path, POOR, name="b.txt", source="jsonl")
    [found] = current_documents(Store(tmp_path))
    assert tuple(one.text for one in found.passages) == POOR
