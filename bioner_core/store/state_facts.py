"""What is said of a newest state as a whole: for reports of exports, and for messages about what it does not have."""

from dataclasses import dataclass

from bioner_core.store.newest import NewestState


def state_in_words(newest: NewestState) -> str:
    """What was opened, for a message: the store, or its snapshot, which lacks what was committed later."""
    kind, _, snapshot = newest.origin.partition(":")
    return f"this store's {kind} {snapshot}" if snapshot else "this store"


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """What the shards of a state have in common: their label sets, their models, and when the newest was committed.

    `newest_commit` is ISO 8601 in UTC, empty where there is no shard.
    """

    label_sets: frozenset[str]
    fingerprints: frozenset[str]
    newest_commit: str


def shard_facts(newest: NewestState) -> ShardFacts:
    """What is said of a state as a whole; a snapshot has no part in what was committed after it.

    Raises:
        StoreError: the store is damaged.
    """
    label_sets: set[str] = set()
    fingerprints: set[str] = set()
    newest_commit = ""
    for row in newest.shards():
        label_sets.update(row["label_sets"])
        fingerprints.add(row["fingerprint"])
        newest_commit = max(newest_commit, row["committed"])
    return ShardFacts(frozenset(label_sets), frozenset(fingerprints), newest_commit)
