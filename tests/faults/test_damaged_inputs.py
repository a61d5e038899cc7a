"""Damaged and hostile dumps through the whole pipeline: what is whole in them is stored as if nothing were wrong.

The undisturbed run is one over the same file before it was damaged.
"""

import gzip
from pathlib import Path

import pytest
from annotate_fakes import MustNotBeAsked, all_mentions, make_job, run, write_jsonl
from dump_samples import DOCTYPE, article, articles
from undisturbed import assert_sound, assert_undisturbed

from bioner_core.records import RejectReason
from bioner_core.store.layout import Store
from tests.stored_rows import document_rows, mention_rows, reject_rows

_NUMBER = 40
_BOMB = (
    '<!DOCTYPE PubmedArticleSet [<!ENTITY lol0 "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def _dump(*, broken_at: int | None = None, doctype: str = DOCTYPE) -> bytes:
    """Forty articles; the one at `broken_at` has an end tag that does not fit."""
    whole = [
        article(f"<ArticleTitle>Protein p{n * 7919} binds DNA.</ArticleTitle>", pmid=str(n))
        for n in range(1, _NUMBER + 1)
    ]
    if broken_at is not None:
        whole[broken_at] = "<PubmedArticle><MedlineCitation></PubmedArticle>"
    return articles(*whole, doctype=doctype)


def _assert_prefix(calm: Path, store: Path, *, reason: RejectReason) -> int:
    """The store has the first records of the calm one, row by row, then one reject; how many documents it has."""
    documents, mentions = list(document_rows(Store(store))), list(mention_rows(Store(store)))
    kept = {one.doc_id for one in documents}
    whole = sorted(document_rows(Store(calm)), key=lambda one: one.meta.record_number)
    assert sorted(documents, key=lambda one: one.meta.record_number) == whole[: len(documents)]
    expected = [one for one in all_mentions(calm) if one.doc_id in kept]
    assert sorted(mentions, key=lambda one: one.mention_id) == expected
    (reject,) = reject_rows(Store(store))
    assert (reject.reject.reason, reject.reject.record_number) == (reason, len(documents))
    assert_sound(store)
    return len(documents)


def test_a_truncated_gzip_gives_its_whole_records_and_one_reject(tmp_path: Path) -> None:
    """A download that was cut off: good records lost, a half one stored, or a job that fails and stores nothing.

    Once the file is whole again the store must hold the undisturbed rows of it as well.
    """
    path = tmp_path / "pubmed26n0001.xml.gz"
    packed = gzip.compress(_dump(), compresslevel=1)
    path.write_bytes(packed)
    run(make_job(tmp_path / "calm", str(path)))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    summary = run(make_job(tmp_path / "cut", str(path), max_reject_rate=1.0))
    assert summary.exit_code() == 0
    assert 0 < _assert_prefix(tmp_path / "calm", tmp_path / "cut", reason=RejectReason.TRUNCATED) < _NUMBER
    run(make_job(tmp_path / "cut", str(path)), MustNotBeAsked)
    path.write_bytes(packed)
    run(make_job(tmp_path / "again", str(path)))
    assert_undisturbed(tmp_path / "calm", tmp_path / "again")


@pytest.mark.parametrize("place", [0, 1, 9, 10, 25])
def test_malformed_xml_in_the_middle_keeps_what_stands_before_it(tmp_path: Path, place: int) -> None:
    """Records before the damage lost with it, damage passed over in silence, or shards after it that never end."""
    path = tmp_path / "pubmed26n0001.xml"
    path.write_bytes(_dump())
    run(make_job(tmp_path / "calm", str(path)))
    path.write_bytes(_dump(broken_at=place))
    run(make_job(tmp_path / "store", str(path), max_reject_rate=1.0))
    assert _assert_prefix(tmp_path / "calm", tmp_path / "store", reason=RejectReason.MALFORMED) == place


def test_an_entity_bomb_is_one_reject_and_harms_no_other_file(tmp_path: Path) -> None:
    """Entities that are expanded until the memory is gone, or a bad file that stops the good ones of the job."""
    good, bomb = tmp_path / "good.xml", tmp_path / "bomb.xml"
    good.write_bytes(_dump())
    bomb.write_bytes(_dump(doctype=_BOMB).replace(b"binds DNA", b"binds &lol11;"))
    run(make_job(tmp_path / "calm", str(good)))
    summary = run(make_job(tmp_path / "both", str(bomb), str(good), max_reject_rate=1.0))
    assert (summary.counts.annotated, summary.counts.rejected) == (_NUMBER, 1)
    (reject,) = reject_rows(Store(tmp_path / "both"))
    assert reject.reject.reason is RejectReason.FORBIDDEN_MARKUP
    assert all_mentions(tmp_path / "both") == all_mentions(tmp_path / "calm")
    assert list(document_rows(Store(tmp_path / "both"))) == list(document_rows(Store(tmp_path / "calm")))
    assert_sound(tmp_path / "both")


def test_what_a_killed_run_left_behind_is_neither_read_nor_kept(tmp_path: Path) -> None:
    """Temporary files of a killed run that are taken for results, stand in the way of a rerun, or stay for ever."""
    name = write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(23)])
    run(make_job(tmp_path / "calm", name))
    store = tmp_path / "store"
    run(make_job(store, name))
    manifest = min((store / "manifests").iterdir())
    manifest.unlink()
    shard = manifest.stem
    litter = [store / "manifests" / f".{shard}.json.0123abcd.tmp"]
    litter += [
        next((store / table).glob(f"*/{shard}")) / ".x.parquet.0123abcd.tmp" for table in ("documents", "mentions")
    ]
    for path in litter:
        path.write_bytes(b"half a file")
    assert run(make_job(store, name)).shards_committed == 1
    assert_undisturbed(tmp_path / "calm", store)
