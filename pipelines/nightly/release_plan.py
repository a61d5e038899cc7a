"""Which PubMed release files are to be applied, in which order, and what forbids to go on.

Rules (NLM): the whole baseline first, then updates in ascending number; a missing number may hold what a later file
replaces, so nothing after it is applied; a new year's numbering starts again at 1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bioner_core.spoken import spoken_count
from bioner_core.store.history.ledger import AppliedFile, standing_files
from bioner_core.store.history.release_names import Release, release_of
from pipelines.nightly.apply import PendingFile
from pipelines.sync.download import COMPANION
from pipelines.sync.listing import ListedFile

BASELINE_FOLDER = "baseline"
"""What NLM calls the folder of a year's first files; all others of the year are updates."""

HasChanged = Callable[[PendingFile, AppliedFile], bool]
"""Whether a listed file has other content than what was applied; asked only if its listing looks different."""


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """`pending` in the order of applying; `gap` is the first number that is neither listed nor applied.

    `listed` are all releases of the years that count, by their place; `left_out` those of them that are of no use to a
    store which begins with a later number, in order.
    """

    pending: tuple[PendingFile, ...]
    gap: Release | None
    listed: dict[Release, ListedFile]
    left_out: tuple[Release, ...] = ()

    @property
    def before_gap(self) -> tuple[PendingFile, ...]:
        """What may be applied although a number is missing: the files before it."""
        return tuple(one for one in self.pending if self.gap is None or one.order < self.gap.order)

    @property
    def left_out_note(self) -> str:
        """What --first-number leaves out, in words; empty when that is nothing."""
        if not self.left_out:
            return ""
        year, last = self.left_out[-1].year, self.left_out[-1].number
        return (
            f"--first-number: {spoken_count(len(self.left_out), 'file')} of {year} left out, the last is number {last}"
        )

    @property
    def gap_message(self) -> str:
        """What is missing, in words; empty when nothing is."""
        if self.gap is None:
            return ""
        return (
            f"number {self.gap.number} of {self.gap.year} is missing: nothing after it was applied, since a later file "
            "may replace what it holds. Wait for it, name a place that has it, or say --first-number when the store is "
            "to begin with a later one"
        )


def plan_releases(
    listed: Sequence[ListedFile],
    applied: Sequence[AppliedFile],
    *,
    has_changed: HasChanged,
    first_number: int = 1,
    fingerprint: str | None = None,
) -> ReleasePlan:
    """Compare what is listed with what is applied.

    `first_number` is the number of the store's first year that it begins with. Listed files of that year before it are
    left out, unless the store has applied one before it: what comes after an applied file may replace its records. A
    missing number before it is no gap. Later years begin with 1 whatever it says.

    With a `fingerprint`, files that were applied under another one are pending again.

    Raises:
        InputError: `has_changed` could not ask.
    """
    companions = {one.name: one for one in listed if one.name.endswith(COMPANION)}
    releases = _releases(listed)
    standing = {Release(*order): entry for order, entry in standing_files(applied).items()}
    base = _base_year(releases, standing)
    counted = {release: one for release, one in sorted(releases.items()) if release.year >= base}
    known = counted.keys() | standing.keys()
    begins = Release(base, min([first_number, *(one.number for one in standing if one.year == base)]))
    pending = []
    for release, one in counted.items():
        if release < begins:
            continue
        entry = standing.get(release)
        wanted = PendingFile(one, release.order, companions.get(one.name + COMPANION), changed=entry is not None)
        if entry is None or _is_stale(wanted, entry, fingerprint, has_changed):
            pending.append(wanted)
    return ReleasePlan(
        tuple(pending),
        _first_gap(counted, known, base, first_number),
        counted,
        left_out=tuple(one for one in counted if one < begins),
    )


def _releases(listed: Iterable[ListedFile]) -> dict[Release, ListedFile]:
    found: dict[Release, ListedFile] = {}
    for one in listed:
        release = release_of(one.name)
        if release is not None:
            found.setdefault(release, one)
    return found


def _base_year(releases: Iterable[Release], standing: Iterable[Release]) -> int:
    """Years before are over: that of the oldest file applied, or for a new store the newest year that is listed."""
    applied_years = {release.year for release in standing}
    return min(applied_years, default=max((release.year for release in releases), default=0))


def _is_stale(wanted: PendingFile, entry: AppliedFile, fingerprint: str | None, has_changed: HasChanged) -> bool:
    if fingerprint is not None and entry.fingerprint != fingerprint:
        return True
    return wanted.listed.stamp != entry.stamp and has_changed(wanted, entry)


def _first_gap(counted: Iterable[Release], known: set[Release], base: int, first_number: int) -> Release | None:
    last: dict[int, int] = {}
    for release in counted:
        last[release.year] = max(last.get(release.year, 0), release.number)
    for year, highest in sorted(last.items()):
        for number in range(first_number if year == base else 1, highest + 1):
            if Release(year, number) not in known:
                return Release(year, number)
    return None
