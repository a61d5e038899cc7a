"""Why records and rows were rejected, counted over shards."""

from collections import Counter
from collections.abc import Iterable

from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import shard_batches


def reject_reasons(store: Store, manifests: Iterable[Manifest]) -> Counter[str]:
    """How many rejects of these shards have each reason; reads one column of the tables that have any.

    Raises:
        StoreError: a table of rejects is damaged, missing, or of a newer schema version.
    """
    found: Counter[str] = Counter()
    for manifest in manifests:
        for batch in shard_batches(store, manifest, "rejects", columns=["reason"]):
            found.update(batch.column(0).to_pylist())
    return found
