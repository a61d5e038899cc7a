"""Which manifests a store has, and which files a killed run left behind, by input: from one listing for many inputs.

A folder is listed as a whole whatever is asked of it. Asked anew for every input, planning a job of n inputs on a
store of m manifests takes n times m steps: with three million articles of PMC that would be years. So a run lists once,
before it plans. What it commits itself afterwards is of inputs that are planned by then, and the store's lock keeps
others out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bioner_core.store.committed import whole_manifest
from bioner_core.store.layout import Store, input_key_of, input_slug
from bioner_core.store.left_behind import TEMPORARY_SUFFIX
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class StoreNames:
    """What was there when it was listed: the shards that have a manifest, by input key; unfinished manifests and plans;
    and which inputs have either."""

    store: Store
    shards: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unfinished: Sequence[StorePath] = ()
    slugs: frozenset[str] = frozenset()

    def knows(self, public_name: str) -> bool:
        """Whether any content of an input may have a plan or a shard; False is certain, and needs no digest."""
        return input_slug(public_name) in self.slugs

    def manifests(self, key: str) -> list[Manifest]:
        """The committed shards of one content of one input (`layout.input_key`), by first record.

        One whose manifest is damaged is left out: it is made anew.

        Raises:
            StoreError: a manifest is of a newer schema version.
        """
        found = (whole_manifest(self.store, shard) for shard in self.shards.get(key, ()))
        return sorted((manifest for manifest in found if manifest is not None), key=lambda manifest: manifest.first)

    def left_behind(self, key: str) -> list[StorePath]:
        """Temporary manifests and plans of one input."""
        return [path for path in self.unfinished if path.name.startswith(f".{key}")]


def list_names(store: Store) -> StoreNames:
    """List a store's manifests and plans; an empty answer where there is no store yet."""
    shards: defaultdict[str, list[str]] = defaultdict(list)
    unfinished: list[StorePath] = []
    slugs: set[str] = set()
    for folder in (store.manifests, store.plans):
        for path in folder.glob("*"):
            if path.name.startswith("."):
                if path.name.endswith(TEMPORARY_SUFFIX):
                    unfinished.append(path)
            elif path.suffix == _SUFFIX:
                key = path.stem
                if folder == store.manifests:
                    key = input_key_of(path.stem)
                    shards[key].append(path.stem)
                slugs.add(key.rpartition("-")[0])
    return StoreNames(store, dict(shards), tuple(unfinished), frozenset(slugs))
