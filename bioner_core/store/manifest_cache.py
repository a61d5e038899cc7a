"""Manifests of shards at work, as this process found them: on object storage each look is a request."""

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.objects.fence import Fence, fence_of
from bioner_core.store.objects.object_path import ObjectPath


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """What a look found: the manifest, or None where the shard has none, or a damaged one."""

    manifest: Manifest | None


@dataclass(slots=True)
class ManifestCache:
    """What was found of shards that need work, until they are committed.

    Invariant: under the lease of a store one process works on a shard, so that what it found stays true until it
    commits the shard itself, or hears that a process of the same job has. Whoever does either calls `forget`; an entry
    that stays would make a later commit keep files that are stale, or take a shard for undone.
    """

    _found: dict[str, FoundManifest] = field(default_factory=dict)

    def found(self, shard: str) -> FoundManifest | None:
        """What an earlier look found; None where nobody has looked, or it was forgotten."""
        return self._found.get(shard)

    def keep(self, shard: str, manifest: Manifest | None) -> None:
        """Remember what was found of a shard that needs work."""
        self._found[shard] = FoundManifest(manifest)

    def forget(self, shard: str) -> None:
        """The shard was committed, or is to be looked at anew."""
        self._found.pop(shard, None)


_caches: WeakKeyDictionary[Fence, ManifestCache] = WeakKeyDictionary()
"""By the fence under which this process writes: what was found under a lease goes with it."""


def manifest_cache(store: Store) -> ManifestCache:
    """The cache of this process's lease on a store; one that nobody keeps in a folder, and where it holds no lease."""
    fence = fence_of(store.root.bucket, store.root.key) if isinstance(store.root, ObjectPath) else None
    return ManifestCache() if fence is None else _caches.setdefault(fence, ManifestCache())
