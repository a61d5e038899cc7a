"""Links at the end of a nightly run: of what is newest then, without the model."""

from collections.abc import Sequence
from dataclasses import replace

from bioner_core.concepts.vocabularies import open_vocabularies
from bioner_core.errors import StoreError
from bioner_core.linking.link_store import current_page_of, link_store
from bioner_core.linking.link_table import current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.query.link_summaries import make_link_summaries
from bioner_core.store.reading import shown_manifests
from jobs.terminal.progress import ProgressBar
from pipelines.nightly.report import SyncReport


def linker_of(vocabularies: Sequence[str] | None) -> Linker | None:
    """The linker to these vocabularies, opened before a night begins; None where none is named.

    Raises:
        ConfigurationError: there is no such vocabulary.
    """
    return Linker(open_vocabularies(vocabularies)) if vocabularies else None


def with_links(done: SyncReport, store: Store, *, lock: StoreLock, linker: Linker, quiet: bool) -> SyncReport:
    """The report with the links that were made, or are of this state already.

    What was applied stays applied when linking fails: that is a failure of the report. So is a `lock` that was lost
    before the links were shown: the links of the job that has it by now stay as they are.
    """
    try:
        lock.check()
        if next(shown_manifests(store), None) is None:
            return done
        if current_page_of(store, linker) is None:
            with ProgressBar("documents", quiet=quiet) as progress:
                link_store(store, linker, check=lock.check, on_document=lambda: progress.done(1))
        make_link_summaries(store, check=lock.check)
        page = current_links(store)  # only now has it the digests of the summaries
    except StoreError as error:
        return replace(done, failures=(*done.failures, f"the files are applied, but not linked: {error}"))
    return replace(done, links=page)
