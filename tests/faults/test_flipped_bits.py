"""A thousand flipped bits over every file that a snapshot is made of: each is told, or changes nothing."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bioner_core.errors import StoreError
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.history.ledger import AppliedFile, Reload, record_applied, record_reload, utc_now
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.reading import read_manifests
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from devtools.soak.corpus import make_corpus
from pipelines.job_report import renew_reports
from pipelines.watch.run_history import run_history

FLIPS = 1_000
SEED = 18
_NOTES = ("locks", "models", "CURRENT", "snapshots")
"""What no snapshot is made of."""
_HARMLESS = ("plans", "register")
"""A flip there is without effect, so that a whole compaction follows: a hundred times what a refusal takes."""
_HARMLESS_ROUNDS = 5
"""Every fifth round over the files is enough for these."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def _store(folder: Path) -> Path:
    """A store with every kind of file that a compaction reads."""
    store = make_corpus(folder, seed=7, files=1)[1].calm_store
    manifest = next(read_manifests(store))
    entry = AppliedFile(
        kind="cnki",
        name="a",
        order=(1,),
        input_key=input_key_of(manifest.shard_id),
        bytes=1,
        md5="",
        sha256=manifest.input_digest,
        stamp="s",
        fingerprint=manifest.fingerprint,
        run_id="r",
        applied=utc_now(),
        seconds=0.0,
        rows_sent=0,
        counts=manifest.counts,
    )
    record_applied(store, entry)
    reload = Reload(kind="pubmed", year=2020, run_id="r", applied=utc_now(), documents_before=9, documents_after=9)
    record_reload(store, reload)
    return store.root


def _snapshot(store: Path) -> dict[str, list[dict[str, Any]]]:
    """Compact, and give the rows of every table."""
    compact_store(Store(store), history=run_history(Store(store)))
    snapshot = open_snapshot(Store(store))
    assert snapshot is not None
    return {
        table: [row for path in paths for row in pq.read_table(path, partitioning=None).to_pylist()]
        for table, paths in snapshot.paths_by_table().items()
    }


def test_no_flipped_bit_of_any_file_comes_into_a_snapshot_unseen(tmp_path: Path) -> None:
    """Catches a number in a manifest, an index of documents or an entry of the ledger that a disk has changed, and that
    a snapshot then holds as if it had been written so."""
    calm = _store(tmp_path / "calm")
    shutil.copytree(calm, tmp_path / "first")
    expected = _snapshot(tmp_path / "first")
    shutil.copytree(tmp_path / "first" / "register", calm / "register")
    files = sorted(
        path.relative_to(calm)
        for path in calm.rglob("*")
        if path.is_file() and path.relative_to(calm).parts[0] not in _NOTES
    )
    kinds = {path.parts[0] for path in files}
    assert kinds == {"documents", "mentions", "rejects", "manifests", "plans", "jobs", "ledger", "register"}
    chance = random.Random(SEED)
    ended: Counter[str] = Counter()
    contents = {path.relative_to(calm): path.read_bytes() for path in calm.rglob("*") if path.is_file()}
    for name in islice(_names(files), FLIPS):
        _restore(calm, contents)
        content = bytearray(contents[name])
        place = chance.randrange(len(content) * 8)
        content[place // 8] ^= 1 << place % 8
        (calm / name).write_bytes(content)
        ended[_ending(calm, name, expected)] += 1
    print(dict(ended))
    assert ended["unseen"] == 0
    assert ended["refused"] > FLIPS / 4


def _names(files: Sequence[Path]) -> Iterator[Path]:
    """The files again and again, in order."""
    for number in count():
        yield from (one for one in files if one.parts[0] not in _HARMLESS or number % _HARMLESS_ROUNDS == 0)


def _restore(store: Path, contents: dict[Path, bytes]) -> None:
    """Make the files of a store what they were; copies of it would take longer than most readings."""
    for path in list(store.rglob("*")):
        if path.is_file() and path.relative_to(store) not in contents:
            path.unlink()
    shutil.rmtree(store / "snapshots", ignore_errors=True)
    for name, content in contents.items():
        path = store / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _ending(store: Path, name: Path, expected: dict[str, list[dict[str, Any]]]) -> str:
    """How a compaction of a store ended in which a file has another bit: `unseen` is what must not be."""
    if any(name.name in told for told in renew_reports(Store(store))):
        return "made anew, and told"
    try:
        found = _snapshot(store)
    except StoreError as error:
        return "refused" if name.name in str(error) else "unseen"
    return "without effect" if found == expected else "unseen"
