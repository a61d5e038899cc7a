"""A store of documents that break careless exporters: Chinese, astral and control characters, markup, nesting."""

from collections.abc import Sequence
from pathlib import Path

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.mentions import Candidate, Mention, depths, parent_indices
from bioner_core.records import Deletion
from bioner_core.store.layout import ShardDescriptor, Store, input_key, shard_id
from bioner_core.store.manifest import Counts
from bioner_core.store.mention_ids import document_prefix, place_suffix
from bioner_core.store.shard_writer import ShardHeader, ShardWriter

FINGERPRINT = "f00d"

Found = tuple[str, str, str, bool]
"""A mention to be: its text (the first place where it stands), label set, type, accepted."""


def document(doc_id: str, *passages: tuple[str, str], record_number: int = 0, version: int = 1) -> Document:
    """A document of (section, text) passages."""
    source = doc_id.partition(":")[0]
    lang = "zh" if any("\u4e00" <= character <= "\u9fff" for _, text in passages for character in text) else "en"
    meta = DocumentMeta(
        ids=(("pmid", "7"),) if doc_id in ("pubmed:7", "pmc:PMC8") else (("doi", "10.1/x"),),
        journal='J <i>"x"</i> & y',
        year="2025",
        input_file="in/dump.xml",
        record_number=record_number,
    )
    made = tuple(Passage(section, "METHODS" * (section == "abstract"), lang, text) for section, text in passages)
    return Document(doc_id, source, version, lang, made, meta)


def mentions_of(of: Document, wanted: Sequence[Found]) -> list[Mention]:
    """Mentions in every passage that has their text, nested as the pipeline nests them; each passage is a sentence."""
    return [
        one
        for index, passage in enumerate(of.passages)
        for label_set in sorted({one[1] for one in wanted})
        for one in _of_passage(of, index, passage, [one for one in wanted if one[1] == label_set])
    ]


def _of_passage(of: Document, index: int, passage: Passage, wanted: Sequence[Found]) -> list[Mention]:
    places = [(passage.text.find(text), text, name, accepted) for text, _, name, accepted in wanted]
    candidates = [
        Candidate(start, start + len(text), name, 1.5, 0.9 if accepted else 0.125, accepted)
        for start, text, name, accepted in places
        if start >= 0
    ]
    parents = parent_indices(candidates)
    label_set = wanted[0][1]
    prefix = document_prefix(of.doc_id, of.version)
    ids = [
        prefix + place_suffix(index, start=one.start, end=one.end, label_set=label_set, type_name=one.type)
        for one in candidates
    ]
    return [
        Mention(
            mention_id=ids[number],
            doc_id=of.doc_id,
            doc_version=of.version,
            passage_index=index,
            section=passage.section,
            lang=passage.lang,
            sentence_index=0,
            start=one.start,
            end=one.end,
            text=passage.text[one.start : one.end],
            label_set=label_set,
            type=one.type,
            parent_id=None if parents[number] is None else ids[parents[number] or 0],
            depth=depth,
            tag_score=one.tag_score,
            selector_score=one.selector_score,
            accepted=one.accepted,
        )
        for number, (one, depth) in enumerate(zip(candidates, depths(parents), strict=True))
    ]


def commit(
    store: Path, documents: Sequence[tuple[Document, Sequence[Mention]]], *, name: str = "dump.xml", sets: str = "genia"
) -> None:
    """Commit documents and their mentions as one shard."""
    key = input_key(name, name)
    source = documents[0][0].source
    shard = ShardDescriptor(
        shard_id(key, 0, last=len(documents)), source, f"/in/{name}", source, 0, len(documents), name
    )
    writer = ShardWriter(Store(store), ShardHeader(shard, name, FINGERPRINT, tuple(sets.split())))
    mentions = [one for _, found in documents for one in found]
    writer.add_documents([one for one, _ in documents])
    writer.add_mentions(mentions)
    counts = Counts(
        records_in=len(documents),
        annotated=len(documents),
        sentences=sum(len(one.passages) for one, _ in documents),
        mentions=len(mentions),
        mentions_accepted=sum(one.accepted for one in mentions),
    )
    writer.commit(counts, seconds=2.0)


def withdraw(store: Path, doc_ids: Sequence[str], *, name: str) -> None:
    """Commit deletions of version 1 of some documents of PubMed as one shard."""
    key = input_key(name, name)
    shard = ShardDescriptor(
        shard_id(key, 0, last=len(doc_ids)), "pubmed", f"/in/{name}", "pubmed", 0, len(doc_ids), name
    )
    writer = ShardWriter(Store(store), ShardHeader(shard, name, FINGERPRINT, ("bc5cdr",)))
    writer.add_deletions([Deletion(one, "pubmed", 1, name, number) for number, one in enumerate(doc_ids)])
    writer.commit(Counts(records_in=len(doc_ids), deleted=len(doc_ids)), seconds=1.0)


ENGLISH = document(
    "pubmed:7",
    ("title", "😀 CD28 surface receptor <b>&amp;</b>  "),
    ("abstract", "A tab\there, a return\r\nand \x1b[2J.\u2028The IL-2 gene\nof \U0001d400-cells; |t| > 2 and |a| < 1."),
    ("abstract", 'Second "CD28" part.'),
    record_number=0,
)
CHINESE = document("cnki:肺|炎 1", ("title", "儿童支原体肺炎𠮷"), ("abstract", "胸腔积液，发热。"), record_number=0)
UNTITLED = document("jsonl:a/../b", ("text", "No title, CD28 here."), record_number=0)
EMPTY = document("jsonl:none", ("title", "Nothing found"), record_number=1)

ENGLISH_FOUND: tuple[Found, ...] = (
    ("CD28 surface receptor", "genia", "protein", True),
    ("CD28", "genia", "protein", True),
    ("surface", "genia", "cell_type", False),
    ("IL-2 gene\nof", "genia", "DNA", True),
    ("IL-2", "genia", "protein", True),
    ("receptor <b>", "bc5cdr", "Chemical", True),
    ("|t| > 2", "bc5cdr", "Chemical", True),
    ("\U0001d400-cells", "genia", "cell type/new", True),
)
CHINESE_FOUND: tuple[Found, ...] = (
    ("支原体肺炎𠮷", "cmeee", "dis", True),
    ("肺", "cmeee", "bod", True),
    ("胸腔积液", "cmeee", "sym", True),
    ("胸腔", "cmeee", "bod", True),
    ("发热", "cmeee", "sym", False),
)


def awkward_store(folder: Path) -> Path:
    """A store of four documents of three sources."""
    store = folder / "store"
    commit(store, [(ENGLISH, mentions_of(ENGLISH, ENGLISH_FOUND))], sets="genia bc5cdr")
    commit(store, [(CHINESE, mentions_of(CHINESE, CHINESE_FOUND))], name="zh.txt", sets="cmeee")
    untitled = (UNTITLED, mentions_of(UNTITLED, [("CD28", "genia", "protein", True)]))
    commit(store, [untitled, (EMPTY, [])], name="more.jsonl")
    return store


DOCUMENTS = {one.doc_id: one for one in (ENGLISH, CHINESE, UNTITLED, EMPTY)}
MENTIONS = {
    one.mention_id: one
    for one in (
        *mentions_of(ENGLISH, ENGLISH_FOUND),
        *mentions_of(CHINESE, CHINESE_FOUND),
        *mentions_of(UNTITLED, [("CD28", "genia", "protein", True)]),
    )
}
