"""The nightly PubMed job: bring a store up to date with NLM's release files (README of NLM's download site)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from bioner_core.errors import BionerError, InputError, listed_names
from bioner_core.store.history.current import count_current
from bioner_core.store.history.input_order import PUBMED
from bioner_core.store.history.ledger import (
    AppliedFile,
    Reload,
    applied_files,
    record_reload,
    reloads,
    standing_files,
    utc_now,
)
from bioner_core.store.history.release_names import Release
from pipelines.nightly.apply import InputAnnotator, PendingFile, SyncContext, apply_file, known_files
from pipelines.nightly.release_plan import BASELINE_FOLDER, ReleasePlan, plan_releases
from pipelines.nightly.report import RunLog, SyncReport
from pipelines.sync.download import COMPANION, small_text, stated_md5
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import ProgressReporter

NLM_PLACES = (
    "https://ftp.ncbi.nlm.nih.gov/pubmed/baseline/",
    "https://ftp.ncbi.nlm.nih.gov/pubmed/updatefiles/",
)

MIN_RELOAD_SHARE = 0.9
"""A new year that holds less than this share of the articles before it is taken to be incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSource:
    """Where releases come from.

    `first_number` is where the store's first year begins, as in `plan_releases`; `needs_md5` refuses a file without a
    companion; `allow_shrink` lets a new year replace the last one however small it is.
    """

    places: tuple[str, ...] = NLM_PLACES
    first_number: int = 1
    needs_md5: bool = True
    allow_shrink: bool = False


def planned_releases(
    source: ReleaseSource, entries: Sequence[AppliedFile], *, policy: RetryPolicy, fingerprint: str | None = None
) -> ReleasePlan:
    """List the places and compare them with the ledger's entries; changes nothing.

    Raises:
        InputError: a place cannot be listed, or holds no release file.
    """
    listed = list(chain.from_iterable(list_place(place, policy) for place in source.places))
    plan = plan_releases(
        listed,
        entries,
        has_changed=lambda wanted, entry: _states_other_md5(wanted, entry, policy),
        first_number=source.first_number,
        fingerprint=fingerprint,
    )
    if not plan.listed:
        raise InputError(
            f"{', '.join(source.places)}: holds no file named like pubmed26n0001.xml.gz; check the address"
        )
    return plan


def companion_md5(wanted: PendingFile, *, needed: bool, policy: RetryPolicy) -> str:
    """The MD5 that a file must have; empty where it has no companion and needs none.

    Raises:
        InputError: the companion is missing although it is `needed`, or cannot be read or understood.
    """
    name = wanted.listed.name
    if wanted.companion is not None:
        return stated_md5(small_text(wanted.companion, policy), name=name)
    if needed:
        raise InputError(
            f"{name}{COMPANION}: is missing, so {name} cannot be checked; nothing of it was applied. "
            "If the place has no such files, say so with --without-md5"
        )
    return ""


def run_pubmed(
    source: ReleaseSource,
    context: SyncContext,
    *,
    annotator: InputAnnotator,
    progress: ProgressReporter,
    max_reject_rate: float,
) -> SyncReport:
    """Apply all files that are new or were published anew, in order, up to the first fault; reload if a year is whole.

    The report is in the ledger when this returns.

    Raises:
        StoreError: the store cannot be read, or the run cannot be entered.
    """
    log = RunLog(context.run_id, "nightly pubmed")
    try:
        entries, context = known_files(context, PUBMED)
        plan = planned_releases(source, entries, policy=context.policy)
        log.planned = len(plan.pending)
        log.notes += [plan.left_out_note] if plan.left_out else []
        progress.planned(len(plan.before_gap))
        for wanted in plan.before_gap:
            log.applied.append(_apply(wanted, source, context, annotator))
            progress.done(1, skipped=False)
        log.notes += _published_anew(plan.before_gap)
        if plan.gap is not None:
            raise InputError(plan.gap_message)
        log.reload, notes = _reload(plan, source, context)
        log.notes += notes
    except BionerError as error:
        log.failures.append(str(error))
    return log.close(context.store, max_reject_rate=max_reject_rate)


def _published_anew(applied: Sequence[PendingFile]) -> list[str]:
    names = [one.listed.name for one in applied if one.changed]
    return [f"published anew, and applied again in their old places: {listed_names(names)}"] if names else []


def _apply(wanted: PendingFile, source: ReleaseSource, context: SyncContext, annotator: InputAnnotator) -> AppliedFile:
    md5 = companion_md5(wanted, needed=source.needs_md5, policy=context.policy)
    return apply_file(wanted, kind=PUBMED, md5=md5, context=context, annotator=annotator)


def _states_other_md5(wanted: PendingFile, entry: AppliedFile, policy: RetryPolicy) -> bool:
    """Without a companion nothing can be said short of fetching the file, so a change of its exact size must do."""
    if wanted.companion is None:
        return wanted.listed.bytes is not None and wanted.listed.bytes != entry.bytes
    return companion_md5(wanted, needed=True, policy=policy) != entry.md5


def _reload(plan: ReleasePlan, source: ReleaseSource, context: SyncContext) -> tuple[Reload | None, list[str]]:
    """Retire the years before the newest one if that is whole; else say why not, if there is anything to say."""
    standing = [Release(*order) for order in standing_files(applied_files(context.store, PUBMED))]
    year = max((one.year for one in standing), default=0)
    retired = max((one.year for one in reloads(context.store, PUBMED)), default=0)
    older = any(retired <= one.year < year for one in standing)
    if not older or year <= retired or Release(year, 1) not in standing:
        return None, []
    if not _baseline_is_over([one for release, one in plan.listed.items() if release.year == year]):
        return None, [
            f"the baseline of {year} may still grow; it replaces earlier years once an update of {year} is there"
        ]
    before = count_current(context.store, source=PUBMED)
    after = count_current(context.store, source=PUBMED, first_year=year)
    if after < before * MIN_RELOAD_SHARE and not source.allow_shrink:
        raise InputError(
            f"the release of {year} has {after} articles, and would replace {before}: it looks incomplete, so earlier "
            "years stay. If it is right, say --allow-shrink"
        )
    context.lock.check()
    reload = Reload(
        kind=PUBMED,
        year=year,
        run_id=context.run_id,
        applied=utc_now(),
        documents_before=before,
        documents_after=after,
    )
    record_reload(context.store, reload)
    return reload, []


def _baseline_is_over(listed: Sequence[ListedFile]) -> bool:
    """Where a folder is known as the baseline, only a file beside it proves that no more of the baseline will come."""
    folders = {one.folder for one in listed}
    return BASELINE_FOLDER not in folders or len(folders) > 1
