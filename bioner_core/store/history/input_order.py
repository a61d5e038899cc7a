"""In which order the inputs of a store follow each other, and which of them count no more.

The newest record of a document wins; newest means latest in this order. It comes from the ledger, or from the name of a
PubMed release file; all other inputs stand before those, in the order in which they came
into the store (`Manifest.known_since`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bioner_core.errors import DamagedFileError
from bioner_core.store.history.ledger import AppliedFile, applied_files, ledger_kinds, reloads, standing_files
from bioner_core.store.history.release_names import release_of
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest

PUBMED = "pubmed"


@dataclass(frozen=True, slots=True)
class InputOrder:
    """What the ledger says of inputs: `orders` by input key; `retired` keys whose content was published anew since.

    `first_year` is that of PubMed's latest complete release, 0 before the first reload.
    """

    orders: dict[str, tuple[int, ...]]
    retired: frozenset[str]
    first_year: int

    def place(self, key: str, manifests: Sequence[Manifest]) -> tuple[int, tuple[int, ...], str] | None:
        """A value that sorts inputs by age; None for one that counts no more."""
        order = self.orders.get(key) or _named_order(manifests)
        if key in self.retired or (_source(manifests) == PUBMED and (order or (0,))[0] < self.first_year):
            return None
        committed = min((one.known_since for one in manifests), default="")
        return (1, order, "") if order else (0, (), committed)


def read_input_order(
    store: Store,
    *,
    first_year: int | None = None,
    on_damaged: Callable[[DamagedFileError], None] | None = None,
) -> InputOrder:
    """The order of a store's inputs; `first_year` asks what it would be after a reload of that year.

    With `on_damaged`, which is told of each ledger entry that cannot be read, the order is that of the others.

    Raises:
        DamagedFileError: a ledger entry is damaged, and there is no `on_damaged`.
    """
    kinds = ledger_kinds(store)
    entries = [entry for kind in kinds for entry in applied_files(store, kind, on_damaged=on_damaged)]
    latest = max((one.year for one in reloads(store, PUBMED, on_damaged=on_damaged)), default=0)
    return InputOrder(
        orders={entry.input_key: entry.order for entry in entries},
        retired=_republished([entry for entry in entries if entry.kind == PUBMED]),
        first_year=latest if first_year is None else first_year,
    )


def _republished(entries: Sequence[AppliedFile]) -> frozenset[str]:
    standing = {entry.input_key for entry in standing_files(entries).values()}
    return frozenset({entry.input_key for entry in entries} - standing)


def _named_order(manifests: Sequence[Manifest]) -> tuple[int, ...] | None:
    names = {PurePosixPath(one.input_file).name for one in manifests}
    release = release_of(names.pop()) if len(names) == 1 else None
    return release.order if release else None


def _source(manifests: Sequence[Manifest]) -> str:
    return manifests[0].source if manifests else ""
