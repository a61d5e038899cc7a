"""Link the newest state of a store: a pass over mentions that are there, without the model.

Only documents that came or changed since the last run of the same linker are linked; the rows of the others are copied.
"""

import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bioner_core.document_pass.abbreviation_pairs import abbreviation_pairs
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.linking.earlier_links import EarlierLinks, LinksOutOfStepError, changed_documents, usable_page
from bioner_core.linking.link_table import (
    LinkPage,
    LinkWriter,
    current_links,
    link_writer,
    links_database,
    make_current,
)
from bioner_core.linking.linker import LINKER_VERSION, Linker, NamedText
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.mention_ids import AFTER_DOC_ID
from bioner_core.store.newest import NewestState, open_newest
from bioner_core.store.paths import StorePath

_MOST_LOOKED_UP = 50_000
"""With more changed documents than these all are read, which is cheaper than to ask of each batch which it has."""

_SUMS = f"""
SELECT
    regexp_extract(substr(mention_id, length(doc_id) + 1), '(?s)^{AFTER_DOC_ID}(.*)$', 1) AS type,
    method, count(*) AS mentions, count(concept_id) AS linked
FROM read_parquet($links, hive_partitioning = false) WHERE rank = 1 GROUP BY ALL
"""  # noqa: S608 - a pattern


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a link run did; `seconds` are all of it, `linking_seconds` the linker's own processor time.

    Counts are of all links that the store has now; `linked_now` are the documents that were linked in this run, with
    `mentions_now` mentions, and the links of the others were kept.
    """

    page: LinkPage
    by_method: dict[str, int]
    by_type: dict[str, dict[str, int]]
    abbreviations: int
    linked_now: int
    mentions_now: int
    seconds: float
    linking_seconds: float

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object."""
        rate = round(self.mentions_now / max(self.linking_seconds, 1e-9))
        return asdict(self.page) | {
            "by_method": self.by_method,
            "by_type": self.by_type,
            "abbreviations": self.abbreviations,
            "documents_linked_now": self.linked_now,
            "mentions_linked_now": self.mentions_now,
            "seconds": round(self.seconds, 3),
            "linking_seconds": round(self.linking_seconds, 3),
            "mentions_per_second": rate,
        }


@dataclass(slots=True)
class _Work:
    """A run under way: by what it links, and what it has done."""

    linker: Linker
    all_candidates: bool
    on_document: Callable[[], None]
    documents: int = 0
    linked_now: int = 0
    mentions_now: int = 0
    abbreviations: int = 0
    seconds: float = 0.0


def link_store(
    store: Store,
    linker: Linker,
    *,
    check: Callable[[], None],
    all_candidates: bool = False,
    anew: bool = False,
    on_document: Callable[[], None] = lambda: None,
) -> LinkReport:
    """Link every accepted mention of the newest documents, or every candidate, and show the new links in one step.

    `check` makes sure that the job still holds the store; it is called right before the new links are shown and the
    files of all other runs removed, and what it raises is passed on. What a run of the same linker has linked already
    is kept, unless `anew`: the rows are the same.

    Raises:
        StoreError: the store is damaged or cannot be written; the old links stay.
    """
    started = time.monotonic()
    newest = open_newest(store)
    fingerprint = linker_fingerprint(linker, all_candidates=all_candidates)
    earlier = None if anew else usable_page(store, fingerprint)
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    work = _Work(linker, all_candidates, on_document)
    try:
        _write(store, newest, earlier, work, run=run)
    except LinksOutOfStepError:
        work = _Work(linker, all_candidates, lambda: None)
        _write(store, newest, None, work, run=run)
    page = LinkPage(
        run=run,
        made_from=newest.origin,
        fingerprint=fingerprint,
        vocabularies={one.page.name: one.page.exact_version for one in linker.vocabularies},
        documents=work.documents,
        mentions=0,
        linked=0,
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    sums = _sums(store, page.path(store, "links"))
    page = replace(page, mentions=sums.mentions, linked=sums.linked)
    # Race: linking may last for hours, and a machine that slept has lost its lock meanwhile. The next line removes the
    # files of all other runs, those included that the job which has the lock by now is writing.
    check()
    page = make_current(store, page)
    seconds = time.monotonic() - started
    now = (work.abbreviations, work.linked_now, work.mentions_now)
    return LinkReport(page, sums.by_method, sums.by_type, *now, seconds, work.seconds)


def current_page_of(store: Store, linker: Linker) -> LinkPage | None:
    """The page of links that another run would only make again: of this snapshot, rules and vocabularies; else None.

    A damaged page is none: the links are made anew.

    Raises:
        StoreError: the store is damaged.
    """
    origin = open_newest(store).origin
    try:
        page = current_links(store)
    except DamagedFileError:
        return None
    if page is None or page.fingerprint != linker_fingerprint(linker) or not origin.startswith("snapshot:"):
        return None
    return page if page.made_from == origin else None


def linker_fingerprint(linker: Linker, *, all_candidates: bool = False) -> str:
    """A digest of all that links depend on beside the mentions: rules, vocabularies in their order, and settings."""
    settings = f"{linker.default_taxon} {'all' if all_candidates else 'accepted'}"
    words = [LINKER_VERSION, settings, *(f"{one.page.name} {one.page.digest}" for one in linker.vocabularies)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _write(store: Store, newest: NewestState, earlier: LinkPage | None, work: _Work, *, run: str) -> None:
    """Write the files of a run: documents that the earlier one saw as they are keep its rows."""
    changed = None if earlier is None else changed_documents(store, earlier, origins=newest.origins())
    kept = None if earlier is None else EarlierLinks(store, earlier)
    documents = newest.documents(only=changed if changed is not None and len(changed) <= _MOST_LOOKED_UP else None)
    with link_writer(
        store, run, fingerprint=linker_fingerprint(work.linker, all_candidates=work.all_candidates)
    ) as writer:
        for origin in newest.origins():
            if kept is not None and changed is not None and origin.doc_id not in changed:
                kept.copy(origin, writer)
            else:
                _link_document(_found(documents, origin.doc_id), writer, work)
            writer.end_document(origin.doc_id, origin.key)
            work.documents += 1
            work.on_document()
        work.abbreviations = writer.rows["abbreviations"]


def _found(documents: Iterator[DocumentMentions], doc_id: str) -> DocumentMentions:
    """The next document of that id."""
    for found in documents:
        if found.document.doc_id == doc_id:
            return found
    raise StoreError(f"{doc_id} is not where it was a moment ago. Run the command again; if it stays, `bioner verify`")


def _link_document(found: DocumentMentions, writer: LinkWriter, work: _Work) -> None:
    mentions = [one for one in found.mentions if work.all_candidates or one.accepted]
    started = time.process_time()
    pairs = abbreviation_pairs(
        found.document.passages, known=((one.passage_index, one.start, one.end) for one in mentions)
    )
    long_forms = {one.short_form: one.long_form for one in pairs}
    links = work.linker.link_document([NamedText(one.text, one.type) for one in mentions], long_forms)
    work.seconds += time.process_time() - started
    work.linked_now += 1
    work.mentions_now += len(mentions)
    writer.add_abbreviations(found.document.doc_id, pairs)
    for mention, ranked in zip(mentions, links, strict=True):
        writer.add_links(mention.doc_id, mention.mention_id, links=ranked)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The links of a file, counted."""

    mentions: int = 0
    linked: int = 0
    by_method: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, dict[str, int]] = field(default_factory=dict)


def _sums(store: Store, links: StorePath) -> _Sums:
    methods: Counter[str] = Counter()
    types: Counter[str] = Counter()
    linked: Counter[str] = Counter()
    with links_database(store) as database:
        for kind, method, count, with_concept in database.execute(_SUMS, {"links": str(links)}).fetchall():
            methods[method] += count
            types[kind] += count
            linked[kind] += with_concept
    by_type = {name: {"mentions": count, "linked": linked[name]} for name, count in sorted(types.items())}
    return _Sums(methods.total(), linked.total(), dict(sorted(methods.items())), by_type)
