"""Link the newest state of a store: a pass over mentions that are there, without the model."""

import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bioner_core.document_pass.abbreviation_pairs import abbreviation_pairs
from bioner_core.errors import DamagedFileError
from bioner_core.linking.link_table import LinkPage, LinkWriter, current_links, link_writer, make_current
from bioner_core.linking.linker import LINKER_VERSION, Linker, NamedText
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a link run did; `seconds` are all of it, `linking_seconds` the linker's own processor time."""

    page: LinkPage
    by_method: dict[str, int]
    by_type: dict[str, dict[str, int]]
    abbreviations: int
    seconds: float
    linking_seconds: float

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object."""
        rate = round(self.page.mentions / max(self.linking_seconds, 1e-9))
        return asdict(self.page) | {
            "by_method": self.by_method,
            "by_type": self.by_type,
            "abbreviations": self.abbreviations,
            "seconds": round(self.seconds, 3),
            "linking_seconds": round(self.linking_seconds, 3),
            "mentions_per_second": rate,
        }


def link_store(
    store: Store,
    linker: Linker,
    *,
    all_candidates: bool = False,
    on_document: Callable[[], None] = lambda: None,
) -> LinkReport:
    """Link every accepted mention of the newest documents, or every candidate, and show the new links in one step.

    Raises:
        StoreError: the store is damaged or cannot be written; the old links stay.
    """
    started = time.monotonic()
    newest = open_newest(store)
    tally = _Tally()
    fingerprint = linker_fingerprint(linker)
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    with link_writer(store, run, fingerprint) as writer:
        for found in newest.documents():
            tally.documents += 1
            _link_document(found, linker, writer, tally, all_candidates=all_candidates)
            on_document()
    page = LinkPage(
        run=run,
        made_from=newest.origin,
        fingerprint=fingerprint,
        vocabularies={one.page.name: one.page.exact_version for one in linker.vocabularies},
        documents=tally.documents,
        mentions=sum(tally.methods.values()),
        linked=sum(tally.linked.values()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    page = make_current(store, page)
    by_type = {name: {"mentions": count, "linked": tally.linked[name]} for name, count in sorted(tally.types.items())}
    seconds = time.monotonic() - started
    return LinkReport(page, dict(sorted(tally.methods.items())), by_type, tally.pairs, seconds, tally.seconds)


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


def linker_fingerprint(linker: Linker) -> str:
    """A digest of all that links depend on beside the mentions: rules and vocabularies, in their order."""
    words = [LINKER_VERSION, *(f"{one.page.name} {one.page.digest}" for one in linker.vocabularies)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


class _Tally:
    def __init__(self) -> None:
        self.documents = self.pairs = 0
        self.seconds = 0.0
        self.methods: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        self.linked: Counter[str] = Counter()


def _link_document(
    found: DocumentMentions, linker: Linker, writer: LinkWriter, tally: _Tally, *, all_candidates: bool
) -> None:
    mentions = [one for one in found.mentions if all_candidates or one.accepted]
    started = time.process_time()
    pairs = abbreviation_pairs(
        found.document.passages, known=((one.passage_index, one.start, one.end) for one in mentions)
    )
    long_forms = {one.short_form: one.long_form for one in pairs}
    links = linker.link_document([NamedText(one.text, one.type) for one in mentions], long_forms)
    tally.seconds += time.process_time() - started
    tally.pairs += len(pairs)
    writer.add_abbreviations(found.document.doc_id, pairs)
    for mention, ranked in zip(mentions, links, strict=True):
        writer.add_links(mention.doc_id, mention.mention_id, ranked)
        tally.methods[ranked[0].method] += 1
        tally.types[mention.type] += 1
        tally.linked[mention.type] += ranked[0].concept_id is not None
