"""The tables of a link run in a store: `links` and `abbreviations`, and the page that says which files are current.

    STORE/links/CURRENT.json                    what was linked to what, and the names of the files; written last
    STORE/links/links-<run>.parquet             one row per mention and concept; "no concept" is a row too
    STORE/links/abbreviations-<run>.parquet     one row per definition
    STORE/links/linked-<run>.parquet            one row per document: where it was read from, and how many rows it has
    STORE/links/concept_<what>-<run>.parquet    counts by concept, sorted by it, made of the links afterwards

Readers go through the page, so a run that dies leaves the old links, or the new ones.
"""

import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.document_pass.abbreviation_pairs import AbbreviationPair
from bioner_core.errors import DamagedFileError
from bioner_core.file_digest import sha256_of_file
from bioner_core.linking.linker import ConceptLink
from bioner_core.store.atomic import replacing, write_text
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import scratch_in
from bioner_core.store.objects.duckdb_files import let_read_objects
from bioner_core.store.paths import StorePath, scratch_beside
from bioner_core.store.schemas import file_metadata, number, text, whole
from bioner_core.store.stored_record import stored_record
from bioner_core.typed_json import loaded_json, with_checksum

_AT_ONCE = 20_000
_MEMORY_LIMIT = "512MB"


_POINTS = "code points of the passage"
_DOC_ID = "pubmed:12345678"

LINKS = pa.schema(
    [
        text("mention_id", "the mention", example=f"{_DOC_ID}@1:p0:0-4:bc5cdr:Disease"),
        text("doc_id", "its document", example=_DOC_ID),
        text("vocabulary", "where the concept is from; all that were asked, where there is none", example="mesh"),
        text("vocabulary_version", "its version and digest", example="2026+93aa30d09e2d"),
        text("concept_id", "the concept as CURIE; null: none", example="MESH:D003924", null=True),
        text("name", "the concept's preferred name; empty where there is none", example="Diabetes Mellitus, Type 2"),
        text(
            "method",
            "exact, words, broad; of a long form `abbreviation+exact`, `abbreviation+words`; none",
            example="exact",
        ),
        number("score", "how surely the mention means it", unit="0 to 1", example="0.9"),
        whole("rank", "1 is the likeliest concept", unit="number", example="1", bits=32),
    ]
)
ABBREVIATIONS = pa.schema(
    [
        text("doc_id", "the document that defines it", example=_DOC_ID),
        whole("passage_index", "the passage, from 0", unit="passages", bits=32),
        whole("long_start", "where the long form begins", unit=_POINTS, example="3", bits=32),
        whole("long_end", "where it ends, exclusive", unit=_POINTS, example="16", bits=32),
        text("long_form", "the long form", example="heart failure"),
        whole("short_start", "where the short form begins", unit=_POINTS, example="18", bits=32),
        whole("short_end", "where it ends, exclusive", unit=_POINTS, example="20", bits=32),
        text("short_form", "the short form", example="HF"),
    ]
)
SCHEMAS_OF_LINKS = {"links": LINKS, "abbreviations": ABBREVIATIONS}
"""The tables of a link run that can be asked, by name."""

LINKED = "linked"
_FILES = SCHEMAS_OF_LINKS | {
    LINKED: pa.schema(
        [
            text("doc_id", "a document that was linked, with or without mentions", example=_DOC_ID),
            text("origin", "which record and shard it was read from, in which state", example="1.0.9f"),
            *(
                whole(table, f"rows that it has in {table}", unit="rows", example="3", bits=32)
                for table in SCHEMAS_OF_LINKS
            ),
        ]
    )
}
"""All that a run writes; by `linked` the next run tells what is new."""

_CONCEPT = text("concept_id", "the concept as CURIE", example="MESH:D003924")
_DOCUMENTS = whole("documents", "documents that have them", unit="documents", example="12")
SUMMARIES_OF_LINKS = {
    "concepts": pa.schema(
        [
            _CONCEPT,
            text("vocabulary", "where it is from", example="mesh"),
            text("name", "its preferred name", example="Diabetes Mellitus, Type 2"),
            whole("mentions", "accepted mentions that mean it", unit="mentions", example="31"),
            _DOCUMENTS,
        ]
    ),
    "concept_names": pa.schema(
        [
            _CONCEPT,
            text("text", "what it is called, in lower case", example="type 2 diabetes"),
            text("lang", "language of the sentences, ISO 639-1", example="en"),
            text("type", "type of the mentions", example="Disease"),
            whole("mentions", "mentions with this text", unit="mentions", example="12"),
        ]
    ),
    "concept_years": pa.schema(
        [_CONCEPT, text("year", "year of publication, empty when unknown", example="2024"), _DOCUMENTS]
    ),
    "concept_documents": pa.schema(
        [
            _CONCEPT,
            text("doc_id", "a document that has it", example=_DOC_ID),
            whole("mentions", "its mentions there", unit="mentions", example="3"),
            number("selector_score", "that of the surest one, as in mentions", unit="0 to 1", example="0.93"),
            whole("passage_index", "passage of the surest one, from 0", unit="passages", bits=32),
            whole("start", "where that begins", unit=_POINTS, example="3", bits=32),
            whole("end", "where it ends, exclusive", unit=_POINTS, example="18", bits=32),
        ]
    ),
    "concept_neighbours": pa.schema(
        [
            _CONCEPT,
            text("other_id", "a concept in the same sentence", example="MESH:D007333"),
            text("other_name", "its preferred name", example="Insulin Resistance"),
            whole("sentences", "that have both, neither inside the other", unit="sentences", example="14"),
            whole("documents", "articles that have such a sentence", unit="documents", example="12"),
        ]
    ),
}
"""Counts by concept, made after a link run of the accepted mentions of a snapshot; see `link_summaries`."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What the current links are: of what state of the store, by which linker, to which vocabularies.

    `digests` are the sha256 of its files by table, those of the counts by concept as soon as these are made; pages from
    before they were kept lack some or all.
    """

    run: str
    made_from: str
    fingerprint: str
    vocabularies: dict[str, str]
    documents: int
    mentions: int
    linked: int
    created: str
    digests: dict[str, str] = field(default_factory=dict)

    def path(self, store: Store, table: str) -> StorePath:
        """The file of one of its tables."""
        return store.links_file(table, self.run)


class LinkWriter:
    """Writes the rows of one link run, in the order of the documents.

    What is added between two calls of `end_document` is of one document.
    """

    def __init__(self, paths: dict[str, Path], fingerprint: str) -> None:
        self._tables = {
            table: _TableWriter(paths[table], schema.with_metadata(file_metadata(table, fingerprint)))
            for table, schema in _FILES.items()
        }
        self._counts = dict.fromkeys(SCHEMAS_OF_LINKS, 0)
        self.rows = Counter[str]()
        """Rows of all documents that have ended, by table."""

    def add_links(self, doc_id: str, mention_id: str, *, links: Sequence[ConceptLink]) -> None:
        """The links of one mention."""
        for one in links:
            facts = (one.vocabulary, one.vocabulary_version, one.concept_id, one.name, one.method, one.score, one.rank)
            self._add("links", (mention_id, doc_id, *facts))

    def add_abbreviations(self, doc_id: str, pairs: Sequence[AbbreviationPair]) -> None:
        """The definitions of one document."""
        for one in pairs:
            self._add("abbreviations", (doc_id, *(getattr(one, field.name) for field in fields(one))))

    def copy(self, table: str, rows: Iterable[pa.RecordBatch]) -> None:
        """Rows of the document as an earlier run wrote them."""
        for batch in rows:
            self._tables[table].copy(batch)
            self._counts[table] += batch.num_rows

    def end_document(self, doc_id: str, origin: str) -> None:
        """All rows of a document were given."""
        self._tables[LINKED].add((doc_id, origin, *self._counts.values()))
        self.rows.update(self._counts)
        self._counts = dict.fromkeys(SCHEMAS_OF_LINKS, 0)

    def close(self) -> None:
        """Write what is left, and the ends of the files."""
        for table in self._tables.values():
            table.close()

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        self._tables[table].add(row)
        self._counts[table] += 1


class _TableWriter:
    """One file: new rows and copied ones, in the order in which they come, some thousands at once."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True, write_page_checksum=True)
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        self._wait_for(1)

    def copy(self, batch: pa.RecordBatch) -> None:
        self._pack()
        self._batches.append(batch.replace_schema_metadata(self._schema.metadata))
        self._wait_for(batch.num_rows)

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _wait_for(self, rows: int) -> None:
        self._waiting += rows
        if self._waiting >= _AT_ONCE:
            self._flush()

    def _pack(self) -> None:
        if self._rows:
            pairs = zip(zip(*self._rows, strict=True), self._schema, strict=True)
            columns = [pa.array(values, field.type) for values, field in pairs]
            self._batches.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
            self._rows = []

    def _flush(self) -> None:
        self._pack()
        if self._batches:
            self._file.write_table(pa.Table.from_batches(self._batches, self._schema).combine_chunks())
        self._batches, self._waiting = [], 0


@contextmanager
def link_writer(store: Store, run: str, *, fingerprint: str) -> Iterator[LinkWriter]:
    """A writer whose files appear when the block ends well; nothing shows them before `make_current`.

    Raises:
        StoreError: the disk refuses.
    """
    with ExitStack() as stack:
        paths = {table: stack.enter_context(replacing(store.links_file(table, run))) for table in _FILES}
        writer = LinkWriter(paths, fingerprint)
        try:
            yield writer
        finally:
            writer.close()


def make_current(store: Store, page: LinkPage) -> LinkPage:
    """From here on readers see this run's links; files of other runs, also of such as died, are removed.

    Returns the page with the digests of its files.

    Whoever calls it holds the store's lock.

    Raises:
        StoreError: the store cannot be written; readers see the links that they saw before.
    """
    page = _written_with_digests(store, replace(page, digests={}), _FILES)
    kept = {store.links_page, *(page.path(store, table) for table in (*_FILES, *SUMMARIES_OF_LINKS))}
    for path in store.links.iterdir():
        if isinstance(path, Path) and path.is_dir():  # where a run that was killed while it counted had its sorts
            shutil.rmtree(path, ignore_errors=True)
        elif path not in kept:
            path.unlink(missing_ok=True)
    return page


def note_summaries(store: Store, page: LinkPage) -> LinkPage:
    """Write the digests of the counts by concept, which are made now, into the page; returns it.

    Whoever calls it holds the store's lock.

    Raises:
        StoreError: the store cannot be written; the counts are made anew by the next run.
    """
    return _written_with_digests(store, page, SUMMARIES_OF_LINKS)


def _written_with_digests(store: Store, page: LinkPage, tables: Iterable[str]) -> LinkPage:
    page = replace(page, digests=page.digests | {table: sha256_of_file(page.path(store, table)) for table in tables})
    write_text(store.links_page, json.dumps(with_checksum(asdict(page)), indent=1, ensure_ascii=False) + "\n")
    return page


def changed_link_files(store: Store, page: LinkPage, *, tables: Collection[str] | None = None) -> Iterator[str]:
    """The files of these tables that are gone or have changed since they were written, in words with what to do.

    Without `tables` all that have a digest are read, and `links` and `abbreviations` must be there in any case.
    """
    for table, digest in (dict.fromkeys(SCHEMAS_OF_LINKS, "") | page.digests).items():
        if tables is not None and table not in tables:
            continue
        path = page.path(store, table)
        try:
            changed = sha256_of_file(path) != digest if digest else not path.is_file()
        except OSError:
            changed = True
        if changed:
            yield f"{path}: is gone or has changed since it was written. Remove the folder links and run `bioner link`"


def compare_links(store: Store, page: LinkPage, *, tables: Collection[str] | None = None) -> None:
    """Make sure that these files have the bytes that were written, as far as the page has their digests.

    Raises:
        DamagedFileError: one has not, or is gone.
    """
    for fault in changed_link_files(store, page, tables=tables):
        raise DamagedFileError(fault)


def current_links(store: Store) -> LinkPage | None:
    """What the current links are, None where the store was never linked.

    Raises:
        DamagedFileError: the page is damaged.
        StoreError: a newer bioner wrote it.
    """
    path = store.links_page
    try:
        return stored_record(LinkPage, loaded_json(path.read_text(encoding="utf-8")), where=str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path}: is damaged ({error!r}). Remove it and run `bioner link`") from error


@contextmanager
def links_database(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a database that reads the files of links. What does not fit into its memory goes beside them: the system's
    temporary folder may be small, or in memory."""
    with (
        scratch_in(scratch_beside(store.links), prefix=".reading-", elsewhere="links") as scratch,
        bounded_database(_MEMORY_LIMIT, scratch) as database,
    ):
        let_read_objects(database, store.root)
        yield database
