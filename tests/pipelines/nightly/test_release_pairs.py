"""The revision pairs among the collected dumps: real files, two years, the same citations twice."""

import shutil
from pathlib import Path

import pytest
from night_samples import companion, newest_mentions, night, titles_of

from bioner_core.documents import Document, Passage
from bioner_core.formats.reader import read_records
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.current_rows import current_documents
from bioner_core.store.layout import Store

PAIRS = {
    "baseline of two years": ("pubmed__pubmed20n0001_part1.xml.gz", "pubmedparser__pubmed21n0001_part1.xml.gz"),
    "excerpt": (
        "jcore-base__pubmed21n1016_excerpt_original.xml.gz",
        "jcore-base__pubmed21n1016_excerpt_partially_changed.xml.gz",
    ),
}


def publish_copy(source: Path, folder: Path, name: str) -> None:
    """Put a real file into a folder under a release's name."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(source, folder / name)
    (folder / f"{name}.md5").write_bytes(companion(name, source.read_bytes()))


def texts_in(path: Path) -> dict[str, tuple[Passage, ...]]:
    """The passages of each citation of a real file, as the reader gives them."""
    records = read_records(str(path))
    return {record.doc_id: record.passages for record in records if isinstance(record, Document)}


@pytest.mark.parametrize("pair", PAIRS)
def test_in_order_they_give_the_newest_text_and_its_mentions(tmp_path: Path, shared_folder: Path, pair: str) -> None:
    """Would catch an older text or its mentions that survive a revision, and needless work for what is unchanged."""
    old, new = PAIRS[pair]
    folder = shared_folder / "dumps" / "pubmed_update_pair"
    publish_copy(folder / old, tmp_path / "in", "pubmed21n1016.xml.gz")
    publish_copy(folder / new, tmp_path / "in", "pubmed21n1017.xml.gz")
    report = night(tmp_path / "s", tmp_path / "in", first_number=1016)
    assert report.exit_code() == 0
    before, after = texts_in(folder / old), texts_in(folder / new)
    assert {one.doc_id: one.passages for one in current_documents(Store(tmp_path / "s"))} == before | after
    publish_copy(folder / new, tmp_path / "only", "pubmed21n1017.xml.gz")
    night(tmp_path / "fresh", tmp_path / "only", first_number=1017)
    renewed = set(titles_of(tmp_path / "fresh"))
    mentions = [one for one in newest_mentions(tmp_path / "s") if one.doc_id in renewed]
    assert mentions == newest_mentions(tmp_path / "fresh")
    same = sum(before.get(doc_id) == passages for doc_id, passages in after.items())
    assert (report.applied[1].counts.unchanged, report.applied[1].counts.annotated) == (same, len(after) - same)
    assert verify_store(Store(tmp_path / "s")).sound


def test_the_baseline_of_the_next_year_keeps_what_is_unchanged(tmp_path: Path, shared_folder: Path) -> None:
    """Would catch citations of last year that survive a baseline without them, or unchanged ones done again."""
    folder = shared_folder / "dumps" / "pubmed_update_pair"
    publish_copy(folder / "pubmed__pubmed20n0001_part1.xml.gz", tmp_path / "in", "pubmed20n0001.xml.gz")
    night(tmp_path / "s", tmp_path / "in")
    before = titles_of(tmp_path / "s")
    publish_copy(folder / "pubmedparser__pubmed21n0001_part1.xml.gz", tmp_path / "in", "pubmed21n0001.xml.gz")
    report = night(tmp_path / "s", tmp_path / "in")
    after = texts_in(folder / "pubmedparser__pubmed21n0001_part1.xml.gz")
    assert report.reload is not None
    assert report.reload.documents_after == len(titles_of(tmp_path / "s")) == len(after) == 28
    assert set(before) <= set(titles_of(tmp_path / "s"))
    assert report.counts.unchanged + report.counts.annotated == 28
