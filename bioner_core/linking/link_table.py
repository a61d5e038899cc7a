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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
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
from bioner_core.store.objects.duckdb_files import let_read_objects
from bioner_core.store.paths import StorePath, scratch_beside
from bioner_core.store.schemas import file_metadata
from bioner_core.typed_json import loaded_json, typed, with_checksum, without_checksum

CURRENT = "CURRENT.json"
_AT_ONCE = 20_000
_MEMORY_LIMIT = "512MB"


def _field(
    name: str, kind: pa.DataType, meaning: str, *, unit: str = "", example: str = "", empty: bool = False
) -> pa.Field:
    about = {"meaning": meaning, "unit": unit, "example": example}
    return pa.field(name, kind, nullable=empty, metadata={key: value for key, value in about.items() if value})


LINKS = pa.schema(
    [
        _field("mention_id", pa.string(), "the mention", example="pubmed:1@1:p0:0-4:bc5cdr:Disease"),
        _field("doc_id", pa.string(), "its document", example="pubmed:1"),
        _field("vocabulary", pa.string(), "where the concept is from; all that were asked, where there is none"),
        _field("vocabulary_version", pa.string(), "its version and digest", example="2026+93aa30d09e2d"),
        _field("concept_id", pa.string(), "the concept as CURIE; null: none", example="MESH:D003924", empty=True),
        _field("name", pa.string(), "the concept's preferred name", example="Diabetes Mellitus, Type 2"),
        _field(
            "method",
            pa.string(),
            "exact, words, broad; of a long form `abbreviation+exact`, `abbreviation+words`; none",
            example="exact",
        ),
        _field("score", pa.float64(), "how surely the mention means it", unit="0 to 1", example="0.9"),
        _field("rank", pa.int32(), "1 is the likeliest concept", example="1"),
    ]
)
ABBREVIATIONS = pa.schema(
    [
        _field("doc_id", pa.string(), "the document that defines it", example="pubmed:1"),
        _field("passage_index", pa.int32(), "the passage, from 0"),
        _field("long_start", pa.int32(), "where the long form begins", unit="code points of the passage"),
        _field("long_end", pa.int32(), "where it ends, exclusive", unit="code points of the passage"),
        _field("long_form", pa.string(), "the long form", example="heart failure"),
        _field("short_start", pa.int32(), "where the short form begins", unit="code points of the passage"),
        _field("short_end", pa.int32(), "where it ends, exclusive", unit="code points of the passage"),
        _field("short_form", pa.string(), "the short form", example="HF"),
    ]
)
SCHEMAS_OF_LINKS = {"links": LINKS, "abbreviations": ABBREVIATIONS}
"""The tables of a link run that can be asked, by name."""

LINKED = "linked"
_FILES = SCHEMAS_OF_LINKS | {
    LINKED: pa.schema(
        [
            _field("doc_id", pa.string(), "a document that was linked, with or without mentions", example="pubmed:1"),
            _field("origin", pa.string(), "which record and shard it was read from, in which state", example="1.0.9f"),
            *(_field(table, pa.int32(), f"rows that it has in {table}", example="3") for table in SCHEMAS_OF_LINKS),
        ]
    )
}
"""All that a run writes; by `linked` the next run tells what is new."""

_CONCEPT = _field("concept_id", pa.string(), "the concept as CURIE", example="MESH:D003924")
_DOCUMENTS = _field("documents", pa.int64(), "documents that have them", unit="count", example="12")
SUMMARIES_OF_LINKS = {
    "concepts": pa.schema(
        [
            _CONCEPT,
            _field("vocabulary", pa.string(), "where it is from", example="mesh"),
            _field("name", pa.string(), "its preferred name", example="Diabetes Mellitus, Type 2"),
            _field("mentions", pa.int64(), "accepted mentions that mean it", unit="count", example="31"),
            _DOCUMENTS,
        ]
    ),
    "concept_names": pa.schema(
        [
            _CONCEPT,
            _field("text", pa.string(), "what it is called, in lower case", example="type 2 diabetes"),
            _field("lang", pa.string(), "language of the sentences", example="en"),
            _field("type", pa.string(), "type of the mentions", example="Disease"),
            _field("mentions", pa.int64(), "mentions with this text", unit="count", example="12"),
        ]
    ),
    "concept_years": pa.schema(
        [_CONCEPT, _field("year", pa.string(), "year of publication, empty when unknown", example="2024"), _DOCUMENTS]
    ),
    "concept_documents": pa.schema(
        [
            _CONCEPT,
            _field("doc_id", pa.string(), "a document that has it", example="pubmed:1"),
            _field("mentions", pa.int64(), "its mentions there", unit="count", example="3"),
            _field("selector_score", pa.float64(), "score of the surest one", unit="probability", example="0.93"),
            _field("passage_index", pa.int32(), "passage of the surest one, from 0", unit="passages"),
            _field("start", pa.int32(), "where that begins", unit="code points of the passage"),
            _field("end", pa.int32(), "where it ends, exclusive", unit="code points of the passage"),
        ]
    ),
    "concept_neighbours": pa.schema(
        [
            _CONCEPT,
            _field("other_id", pa.string(), "a concept in the same sentence", example="MESH:D007333"),
            _field("other_name", pa.string(), "its preferred name", example="Insulin Resistance"),
            _field("sentences", pa.int64(), "sentences that have both, neither inside the other", unit="count"),
            _field("documents", pa.int64(), "articles that have such a sentence", unit="count", example="12"),
        ]
    ),
}
"""Counts by concept, made after a link run of the accepted mentions of a snapshot; see `link_summaries`."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What the current links are: of what state of the store, by which linker, to which vocabularies.

    `digests` are the sha256 of its files by table; empty in pages from before they were kept.
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
        return store.links / f"{table}-{self.run}.parquet"


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
        paths = {table: stack.enter_context(replacing(store.links / f"{table}-{run}.parquet")) for table in _FILES}
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
    page = replace(page, digests={table: sha256_of_file(page.path(store, table)) for table in _FILES})
    write_text(store.links / CURRENT, json.dumps(with_checksum(asdict(page)), indent=1, ensure_ascii=False) + "\n")
    kept = {store.links / CURRENT, *(page.path(store, table) for table in (*_FILES, *SUMMARIES_OF_LINKS))}
    for path in store.links.iterdir():
        if isinstance(path, Path) and path.is_dir():  # where a run that was killed while it counted had its sorts
            shutil.rmtree(path, ignore_errors=True)
        elif path not in kept:
            path.unlink(missing_ok=True)
    return page


def current_links(store: Store) -> LinkPage | None:
    """What the current links are, None where the store was never linked.

    Raises:
        DamagedFileError: the page is damaged.
    """
    path = store.links / CURRENT
    try:
        return typed(LinkPage, without_checksum(loaded_json(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path}: is damaged ({error!r}). Remove it and run `bioner link`") from error


@contextmanager
def links_database(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a database that reads the files of links. What does not fit into its memory goes beside them: the system's
    temporary folder may be small, or in memory."""
    with (
        TemporaryDirectory(prefix=".reading-", dir=scratch_beside(store.links)) as scratch,
        bounded_database(_MEMORY_LIMIT, scratch) as database,
    ):
        let_read_objects(database, store.root)
        yield database
