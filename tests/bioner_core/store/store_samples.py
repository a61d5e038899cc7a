"""Values that the store tests share."""

from pathlib import Path

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Reject, RejectReason
from bioner_core.store.layout import ShardDescriptor, Store, input_key, shard_id
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.rows import RejectRow
from bioner_core.store.shard_writer import ShardHeader, ShardWriter

KEY = input_key("dump.xml", "d1")
TEXT = "CD28 surface receptor"


def descriptor(first: int = 0, last: int = 4, *, format_name: str = "pubmed") -> ShardDescriptor:
    """Records `first` to `last` of the sample input."""
    return ShardDescriptor(shard_id(KEY, first, last=last), "pubmed", "/in/dump.xml", format_name, first, last, "d1")


def document(number: int, *, version: int = 1, text: str = TEXT) -> Document:
    """A document of two passages; the text is in the second."""
    passages = (Passage("title", "", "en", "A title."), Passage("abstract", "METHODS", "en", text))
    meta = DocumentMeta(ids=(("pmid", str(number)),), keywords=("k",), input_file="dump.xml", record_number=number)
    return Document(f"pubmed:{number}", "pubmed", version, "en", passages, meta)


def mention(
    number: int, start: int, end: int, *, kind: str = "protein", parent: Mention | None = None, accepted: bool = True
) -> Mention:
    """A mention in the second passage of a sample document."""
    return Mention(
        mention_id=f"pubmed:{number}@1:p1:{start}-{end}:genia:{kind}",
        doc_id=f"pubmed:{number}",
        doc_version=1,
        passage_index=1,
        section="abstract",
        lang="en",
        sentence_index=0,
        start=start,
        end=end,
        text=TEXT[start:end],
        label_set="genia",
        type=kind,
        parent_id=parent.mention_id if parent else None,
        depth=parent.depth + 1 if parent else 0,
        tag_score=1.5,
        selector_score=0.25,
        accepted=accepted,
    )


def reject(number: int) -> Reject:
    """A record that has no text."""
    return Reject(f"pubmed:{number}", "pubmed", "dump.xml", number, "read", RejectReason.NO_TEXT, "no text")


def deletion(number: int) -> Deletion:
    """A document that its source has withdrawn."""
    return Deletion(f"pubmed:{number}", "pubmed", 2, "dump.xml", number)


def writer(store: Path, *, fingerprint: str = "f1", of: ShardDescriptor | None = None) -> ShardWriter:
    """A writer for a shard of the sample input."""
    return ShardWriter(Store(store), ShardHeader(of or descriptor(), "dump.xml", fingerprint, ("genia",)))


def commit_sample(store: Path, *, fingerprint: str = "f1", of: ShardDescriptor | None = None) -> Manifest:
    """Commit two documents with a nested mention, one deletion and one reject; rows are added out of order."""
    shard = of or descriptor()
    outer = mention(shard.first, 0, 21)
    filled = writer(store, fingerprint=fingerprint, of=shard)
    filled.add_documents([document(shard.first + 1), document(shard.first)])
    filled.add_mentions([outer, mention(shard.first, 0, 4, parent=outer), mention(shard.first, 5, 12, accepted=False)])
    filled.add_deletions([deletion(shard.first + 2)])
    filled.add_rejects([RejectRow(reject(shard.first + 3), shard.shard_id)])
    counts = Counts(
        records_in=4, annotated=2, deleted=1, rejected=1, sentences=4, rows=4, mentions=3, mentions_accepted=2
    )
    return filled.commit(counts, seconds=0.5)


def every_file(store: Path) -> set[str]:
    """The paths of all files of a store, relative to it."""
    return {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}
