"""The real dumps of the shared folder: as many records as its own list counts, file by file."""

import csv
from collections import Counter
from pathlib import Path

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records, summarise_input
from bioner_core.records import Deletion, Reject, RejectReason
from devtools.check_dumps import COUNTED_BY_HAND, COUNTED_OTHERWISE, KINDS

EXPECTED_REJECTS = {
    # A fragment for a test of tables: nothing names the article.
    "jats/biotext__format_chars_table.xml": {"": RejectReason.MISSING_ID},
    # Not an article: the listing of a bucket.
    "pmc_oa_package/biomcp__pmc3040717-versions.xml": {"": RejectReason.UNKNOWN_FORMAT},
    # Annotations whose text is in another file.
    "bioc/jcore__ign-train-snippet-annotations_[annotation]10064899_bioc.xml": {"bioc:10064899": RejectReason.NO_TEXT},
    # Its PMID is 0, which is no id, and nothing else names the article.
    "pubmed_nbib_text/zotero__nbib_test0.nbib": {"": RejectReason.MISSING_ID},
    # Records of ERIC in PubMed's form: they have no PMID.
    "pubmed_nbib_text/zotero__nbib_test4.nbib": {"": RejectReason.MISSING_ID},
    "pubmed_nbib_text/zotero__nbib_test6.nbib": {"": RejectReason.MISSING_ID},
}

EXPECTED_DELETIONS = {"pubmed_set/pubmed__pubmed_sample.xml": 3}


def test_every_file_reads_as_many_records_as_its_list_counts(shared_folder: Path) -> None:
    """Catches any real form of any format that loses, doubles or turns down records.

    The list counts articles, so deletions are counted apart; there is no other difference to explain.
    """
    dumps = shared_folder / "dumps"
    kinds: Counter[str] = Counter()
    with (dumps / "MANIFEST.tsv").open(encoding="utf-8") as listed:
        for row in csv.DictReader(listed, delimiter="\t"):
            if row["kind"] in KINDS:
                kinds[row["kind"]] += _check_file(dumps / row["file"], row)
    assert set(kinds) == set(KINDS)


def _check_file(path: Path, row: dict[str, str]) -> int:
    records = list(read_records(str(path)))
    turned_down = [record for record in records if isinstance(record, Reject)]
    rejects = {record.doc_id: record.reason for record in turned_down}
    deletions = sum(isinstance(record, Deletion) for record in records)
    documents = sum(isinstance(record, Document) for record in records)
    assert rejects == EXPECTED_REJECTS.get(row["file"], {}), row["file"]
    assert deletions == EXPECTED_DELETIONS.get(row["file"], 0), row["file"]
    known = COUNTED_BY_HAND | COUNTED_OTHERWISE
    assert documents + len(turned_down) == known.get(row["file"], int(row["records"] or -1)), row["file"]
    summary = summarise_input(str(path))
    assert (summary.records, summary.digest) == (len(records), row["sha256"]), row["file"]
    return 1


def test_real_records_are_whole(shared_folder: Path) -> None:
    """Catches ids, journals or years that no record of a real form has, and languages found wrong."""
    dumps = shared_folder / "dumps"
    for folder, source, languages in (
        ("pubmed_edge", "pubmed", {"en"}),
        ("pubmed_set", "pubmed", {"de", "en", "es", "fr", "it", "nl", "pl", "ru", "und", "zh"}),
        ("cnki_estudy_txt", "cnki", {"zh"}),
        ("wanfang_noteexpress", "wanfang", {"en", "zh"}),
        ("cnki_endnote", "cnki", {"en", "zh"}),
    ):
        files = sorted((dumps / folder).iterdir())
        documents = [r for file in files for r in read_records(str(file)) if isinstance(r, Document)]
        assert {document.source for document in documents} == {source}
        assert {passage.lang for document in documents for passage in document.passages} == languages
        assert sum(bool(document.meta.journal) for document in documents) > 0.9 * len(documents)
        years = [int(document.meta.year) for document in documents if document.meta.year]
        assert len(years) > 0.85 * len(documents)
        assert 1900 < min(years) <= max(years) < 2030
        # An EndNote export of CNKI names its records only now and then.
        assert folder == "cnki_endnote" or all(document.meta.ids for document in documents)
        assert all(p.text == p.text.strip() != "" for document in documents for p in document.passages)
        assert not any("<正>" in p.text for document in documents for p in document.passages)
