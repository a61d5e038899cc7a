"""Stores of a few made-up inputs, described by what happens to which document, and what the newest state of one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.mentions import Mention
from bioner_core.records import Deletion
from bioner_core.store.layout import ShardDescriptor, Store, input_key, shard_id
from bioner_core.store.manifest import Counts
from bioner_core.store.mention_ids import document_prefix, place_suffix
from bioner_core.store.shard_writer import ShardHeader, ShardWriter


@dataclass(frozen=True, slots=True)
class Event:
    """A record: a version of a document with so many words, or its deletion."""

    number: int
    version: int = 1
    deleted: bool = False
    words: int = 2

    @property
    def doc_id(self) -> str:
        """The document that the record is about."""
        return f"pubmed:{self.number}"


def commit_input(store: Path, number: int, events: Sequence[Event], *, shard_records: int = 3) -> None:
    """Commit release file `number` of a year with these records, cut into shards."""
    name = f"pubmed26n{number:04d}.xml"
    for first in range(0, len(events), shard_records):
        part = events[first : first + shard_records]
        descriptor = ShardDescriptor(
            shard_id(input_key(name, name), first, last=first + len(part)),
            "pubmed",
            name,
            "pubmed",
            first,
            first + len(part),
            name,
        )
        writer = ShardWriter(Store(store), ShardHeader(descriptor, name, "f1", ("genia",)))
        _fill(writer, part, name=name, first=first)


def newest(inputs: Sequence[Sequence[Event]]) -> dict[str, tuple[int, int, int]]:
    """The newest version rule, told naively: each document's version, and the input and record that it is from."""
    found: dict[tuple[int, int], tuple[int, int, Event]] = {}
    for place, events in enumerate(inputs):
        for record, event in enumerate(events):
            found[event.number, event.version] = (place, record, event)
    shown: dict[str, tuple[int, int, int]] = {}
    for (_, version), (place, record, event) in sorted(found.items()):
        if not event.deleted:
            shown[event.doc_id] = (version, place, record)
    return shown


def _fill(writer: ShardWriter, events: Sequence[Event], *, name: str, first: int) -> None:
    mentions: list[Mention] = []
    seen: set[tuple[str, int]] = set()
    for record, event in enumerate(events, first):
        if event.deleted:
            writer.add_deletions([Deletion(event.doc_id, "pubmed", event.version, name, record)])
            continue
        writer.add_documents([_document(event, name, record)])
        repeat = record if (event.doc_id, event.version) in seen else None
        seen.add((event.doc_id, event.version))
        mentions += _mentions(event, document_prefix(event.doc_id, event.version, repeat_of_record=repeat))
    writer.add_mentions(mentions)
    deleted = sum(event.deleted for event in events)
    counts = Counts(
        records_in=len(events),
        annotated=len(events) - deleted,
        deleted=deleted,
        mentions=len(mentions),
        mentions_accepted=sum(one.accepted for one in mentions),
    )
    writer.commit(counts, seconds=0.25)


def _document(event: Event, name: str, record: int) -> Document:
    text = " ".join(f"w{number}" for number in range(event.words))
    meta = DocumentMeta(year="2026", input_file=name, record_number=record)
    return Document(event.doc_id, "pubmed", event.version, "en", (Passage("abstract", "", "en", text),), meta)


def _mentions(event: Event, prefix: str) -> list[Mention]:
    """A mention per word; every second one is turned down; `w1` and later ones lie inside one over the whole text."""
    length = 3 * event.words - 1
    spans = [(0, length)] * (event.words > 1) + [(3 * word, 3 * word + 2) for word in range(event.words)]
    text = " ".join(f"w{number}" for number in range(event.words))
    ids = [
        prefix + place_suffix(0, start=start, end=end, label_set="genia", type_name="protein") for start, end in spans
    ]
    return [
        Mention(
            mention_id=mention_id,
            doc_id=event.doc_id,
            doc_version=event.version,
            passage_index=0,
            section="abstract",
            lang="en",
            sentence_index=0,
            start=start,
            end=end,
            text=text[start:end],
            label_set="genia",
            type="protein",
            parent_id=ids[0] if number and event.words > 1 else None,
            depth=1 if number and event.words > 1 else 0,
            tag_score=1.0,
            selector_score=0.75,
            accepted=number % 2 == 0,
        )
        for number, (mention_id, (start, end)) in enumerate(zip(ids, spans, strict=True))
    ]
