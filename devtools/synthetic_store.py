"""A store of invented documents for benches and trials: `python -m devtools.synthetic_store --documents N --store DIR`.

Shards are committed by the store's own writer. A few thousand invented abstracts are made one by one, and each document
is one of them under its own id; so rows are made as Arrow columns, which is fast.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.records import Deletion
from bioner_core.store.layout import ShardDescriptor, Store, input_key, shard_id
from bioner_core.store.manifest import Counts
from bioner_core.store.rows import documents_to_arrow
from bioner_core.store.schemas import SCHEMAS
from bioner_core.store.shard_writer import ShardHeader, ShardWriter
from devtools.synthetic_abstracts import Abstract, invented_abstracts
from jobs.terminal.console import say, say_error

SOURCE = "pubmed"
RECORDS_PER_SHARD = 2_000
_RECORDS_PER_INPUT = 30_000
_ABSTRACTS = 2_000
_FIRST_YEAR, _YEARS = 2000, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much to make: `updated` of the documents come a second time in a newer version, `deleted` are withdrawn."""

    documents: int
    mentions: int
    updated: int = 0
    deleted: int = 0


def make_synthetic_store(
    store: Store, scale: Scale, *, seed: int = 13, records_per_shard: int = RECORDS_PER_SHARD
) -> None:
    """Commit the shards of a made-up PubMed; equal scales and seeds make equal rows.

    Raises:
        StoreError: the store cannot be written.
    """
    randomness = np.random.default_rng(seed)
    abstracts = invented_abstracts(_ABSTRACTS, mentions=round(scale.mentions / scale.documents), randomness=randomness)
    maker = _Maker(store, abstracts, randomness, records_per_shard)
    for number, first in enumerate(range(0, scale.documents, _RECORDS_PER_INPUT), 1):
        documents = range(first, min(first + _RECORDS_PER_INPUT, scale.documents))
        maker.commit_input(f"pubmed26n{number:04d}.xml.gz", documents, version=1)
    if scale.updated:
        maker.commit_input("pubmed26n8001.xml.gz", range(scale.updated), version=2)
    if scale.deleted:
        maker.commit_deletions("pubmed26n9001.xml.gz", range(scale.documents - scale.deleted, scale.documents))


@dataclass(slots=True)
class _Maker:
    store: Store
    abstracts: Sequence[Abstract]
    randomness: np.random.Generator
    records_per_shard: int

    def commit_input(self, name: str, documents: range, *, version: int) -> None:
        """Commit documents that are known by their numbers, shard by shard."""
        for first in range(0, len(documents), self.records_per_shard):
            numbers = documents[first : first + self.records_per_shard]
            chosen = self.randomness.integers(0, len(self.abstracts), len(numbers))
            writer = self._writer(name, first, first + len(numbers))
            writer.add_rows("documents", self._documents(numbers, chosen, name=name, first=first, version=version))
            mentions = self._mentions(numbers, chosen, version)
            writer.add_rows("mentions", mentions)
            sentences = sum(self.abstracts[one].sentences for one in chosen)
            counts = Counts(
                records_in=len(numbers),
                annotated=len(numbers),
                sentences=sentences,
                rows=sentences,
                mentions=mentions.num_rows,
                mentions_accepted=pc.sum(mentions.column("accepted")).as_py() or 0,
            )
            writer.commit(counts, seconds=0.0)

    def commit_deletions(self, name: str, documents: range) -> None:
        """Commit one shard that withdraws documents."""
        writer = self._writer(name, 0, len(documents))
        writer.add_deletions([Deletion(_doc_id(one), SOURCE, 1, name, at) for at, one in enumerate(documents)])
        writer.commit(Counts(records_in=len(documents), deleted=len(documents)), seconds=0.0)

    def _writer(self, name: str, first: int, last: int) -> ShardWriter:
        shard = shard_id(input_key(name, name), first, last=last)
        descriptor = ShardDescriptor(shard, SOURCE, name, "pubmed", first, last, name)
        return ShardWriter(self.store, ShardHeader(descriptor, name, "synthetic", ("invented",)))

    def _documents(self, numbers: range, chosen: np.ndarray, *, name: str, first: int, version: int) -> pa.Table:
        years = self.randomness.integers(_FIRST_YEAR, _FIRST_YEAR + _YEARS, len(numbers))
        documents = [
            Document(
                _doc_id(number),
                SOURCE,
                version,
                "en",
                (Passage("abstract", "", "en", self.abstracts[abstract].text),),
                DocumentMeta(
                    (("pmid", str(number)),),
                    "Invented Journal",
                    str(year),
                    (),
                    input_file=name,
                    record_number=first + at,
                ),
            )
            for at, (number, abstract, year) in enumerate(zip(numbers, chosen, years, strict=True))
        ]
        return documents_to_arrow(documents)

    def _mentions(self, numbers: range, chosen: np.ndarray, version: int) -> pa.Table:
        """The mentions of the chosen abstracts, which have no document yet, with ids that begin with their document."""
        parts = [self.abstracts[one].mentions for one in chosen]
        rows = pa.concat_tables(parts)
        times = [part.num_rows for part in parts]
        doc_ids = pa.array(np.repeat(np.array([_doc_id(one) for one in numbers]), times).tolist(), pa.string())
        prefixes = pc.binary_join_element_wise(doc_ids, f"@{version}", "")
        columns = {
            "mention_id": pc.binary_join_element_wise(prefixes, rows.column("mention_id"), ""),
            "doc_id": doc_ids,
            "doc_version": pa.array(np.full(len(doc_ids), version, dtype=np.int64)),
            "parent_id": pc.binary_join_element_wise(prefixes, rows.column("parent_id"), ""),
        }
        schema = SCHEMAS["mentions"]
        return pa.Table.from_arrays([columns.get(one.name, rows.column(one.name)) for one in schema], schema=schema)


def _doc_id(number: int) -> str:
    return f"{SOURCE}:{10_000_000 + number}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a store; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make a store of invented documents, mentions and updates.")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--mentions", type=int, default=2_000_000)
    parser.add_argument("--updated", type=int, default=0, help="how many documents come again in a newer version")
    parser.add_argument("--deleted", type=int, default=0, help="how many documents are withdrawn")
    options = parser.parse_args(arguments)
    scale = Scale(
        documents=options.documents, mentions=options.mentions, updated=options.updated, deleted=options.deleted
    )
    try:
        make_synthetic_store(Store(options.store), scale)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    say(f"{options.store}: {scale}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
