"""The store of invented documents is a store like any other."""

from pathlib import Path

import pytest

from bioner_core.export.export import FORMATS
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from devtools.bench_store import bench_store
from devtools.synthetic_store import Scale, main, make_synthetic_store

pytestmark = pytest.mark.slow


def test_a_synthetic_store_is_sound_and_of_the_size_asked_for(tmp_path: Path) -> None:
    """Catches offsets, parents or counts that a bench would measure although no reader could use them."""
    words = ["--documents", "50", "--mentions", "500", "--updated", "10", "--deleted", "5"]
    assert main(["--store", str(tmp_path), *words]) == 0
    report = verify_store(Store(tmp_path))
    assert report.sound, report.faults
    assert (report.counts.annotated, report.counts.deleted, report.counts.mentions) == (60, 5, 600)
    made = compact_store(Store(tmp_path), CompactionSettings(memory_bytes=2**28)).manifest
    assert (made.documents, made.mentions) == (45, 450)


def test_equal_seeds_make_equal_stores(tmp_path: Path) -> None:
    """Catches figures that no second run can repeat."""
    scale = Scale(documents=20, mentions=100)
    for name in ("a", "b"):
        make_synthetic_store(Store(tmp_path / name), scale, records_per_shard=7)
    files = [sorted(path.name for path in (tmp_path / name).rglob("*.parquet")) for name in ("a", "b")]
    assert files[0] == files[1]
    contents = [[path.read_bytes() for path in sorted((tmp_path / name).rglob("*.parquet"))] for name in ("a", "b")]
    assert contents[0] == contents[1]


def test_the_bench_measures_every_named_query(tmp_path: Path) -> None:
    """Catches a bench that breaks on its first run, which is the long one."""
    found = bench_store(Store(tmp_path / "store"), Scale(documents=40, mentions=400, deleted=2), memory="256MB")
    assert (found.documents, found.mentions) == (38, 380)
    assert "top_entities" in found.named_queries_s
    assert found.reader_share_of_one_document > 0
    assert found.export_mentions_a_second == {}


def test_the_bench_exports_every_format(tmp_path: Path) -> None:
    """Catches a format that the bar on exports is never measured for."""
    scale = Scale(documents=20, mentions=200)
    found = bench_store(Store(tmp_path / "store"), scale, memory="256MB", exports=True)
    assert set(found.export_mentions_a_second) == set(FORMATS)
    assert min(found.export_mentions_a_second.values()) > 0
