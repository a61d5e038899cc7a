"""Do two stores hold the same? Row by row, so that a job that was disturbed can be held against one that was not.

Memory is bounded by one batch of rows of each store.
"""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from bioner_core.store.layout import TABLES, Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import read_manifests, shard_batches

WORDS_OF_CHANCE = frozenset({"message", "traceback", "attempts"})
"""Columns of a reject that say how often and where it was tried: they differ between two runs that are both right."""

_MANIFEST_FIELDS = ("input_digest", "format_name", "first", "last", "fingerprint", "label_sets", "schema_version")


def store_differences(expected: Store, found: Store) -> Iterator[str]:
    """What `found` has otherwise than `expected`, in words; nothing when both hold the same shards and rows.

    Compared are the shards, what their manifests say of input, fingerprint and counts, and every row of every table in
    order. Left out are times, paths of files, and of rejects the `WORDS_OF_CHANCE`.

    Raises:
        StoreError: a manifest or a file of either store is damaged.
    """
    ours = {manifest.shard_id: manifest for manifest in read_manifests(expected)}
    theirs = {manifest.shard_id: manifest for manifest in read_manifests(found)}
    for shard in sorted(ours.keys() ^ theirs.keys()):
        yield f"shard {shard} is {'missing' if shard in ours else 'there, and should not be'}"
    for shard in sorted(ours.keys() & theirs.keys()):
        yield from _manifest_differences(ours[shard], theirs[shard])
        for table in TABLES:
            yield from _row_differences(
                _rows(expected, ours[shard], table), _rows(found, theirs[shard], table), where=f"shard {shard}, {table}"
            )


def _manifest_differences(expected: Manifest, found: Manifest) -> Iterator[str]:
    ours, theirs = (
        {name: getattr(one, name) for name in _MANIFEST_FIELDS} | asdict(one.counts) for one in (expected, found)
    )
    for name, value in ours.items():
        if theirs[name] != value:
            yield f"shard {expected.shard_id}: {name} is {theirs[name]!r}, not {value!r}"


def _rows(store: Store, manifest: Manifest, table: str) -> Iterator[dict[str, Any]]:
    for batch in shard_batches(store, manifest, table=table):
        for row in batch.to_pylist():
            yield {name: value for name, value in row.items() if table != "rejects" or name not in WORDS_OF_CHANCE}


def _row_differences(
    expected: Iterator[dict[str, Any]], found: Iterator[dict[str, Any]], *, where: str
) -> Iterator[str]:
    for number, (ours, theirs) in enumerate(zip_longest(expected, found)):
        if ours is None or theirs is None:
            yield f"{where}: row {number} is {'missing' if theirs is None else 'one too many'}: {ours or theirs}"
        elif ours != theirs:
            columns = [name for name in ours if theirs[name] != ours[name]]
            yield f"{where}: row {number} differs in {', '.join(columns)}: {theirs}, not {ours}"
