"""A vocabulary on disk: a folder with its concepts, its keys in sorted order, and a page of what it is.

NAME/concepts.parquet   one row per concept, in the order of the ids
NAME/keys.parquet       one row per key of a name, in the order of the keys
NAME/vocabulary.json    name, version, licence, sources, digest; written last
"""

import hashlib
import json
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.concepts.concept import PREFERRED, SYNONYM, Concept, Synonym
from bioner_core.concepts.name_keys import KEYS_VERSION, name_keys
from bioner_core.errors import ConfigurationError, InputError
from bioner_core.file_digest import sha256_of_file
from bioner_core.store.atomic import write_text
from bioner_core.store.rows import flat_table

ABOUT_FILE, CONCEPTS_FILE, KEYS_FILE = "vocabulary.json", "concepts.parquet", "keys.parquet"

_CONCEPTS = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("concept_id", "name", "type", "taxon")),
        *(pa.field(name, pa.list_(pa.string()), nullable=False) for name in ("replaces", "parents")),
    ]
)
_KEYS = pa.schema(
    [
        pa.field("key", pa.large_string(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),
        pa.field("weight", pa.float32(), nullable=False),
        pa.field("concept", pa.int32(), nullable=False),
    ]
)

_AGAIN = "make the vocabulary again: `bioner vocabulary build` or `pull` with --replace"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a vocabulary was made of, or consists of: its name without folder, and the sha256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VocabularyPage:
    """What a vocabulary is. `digest` is that of its rows: two with one digest link everything alike.

    `files` are the tables as they were written, `form` and `prefix` how the sources were read (several forms with
    commas); vocabularies of earlier versions do not say them.
    """

    name: str
    version: str
    licence: str
    sources: tuple[SourceFile, ...] = ()
    concepts: int = 0
    names: int = 0
    digest: str = ""
    keys_version: str = KEYS_VERSION
    files: tuple[SourceFile, ...] = ()
    form: str | None = None
    prefix: str | None = None

    @property
    def exact_version(self) -> str:
        """The version that links name: what the maker calls it, and the digest of what it holds."""
        return f"{self.version}+{self.digest[:12]}"


def build_index(folder: Path, concepts: Iterable[Concept], *, page: VocabularyPage) -> VocabularyPage:
    """Write an index as `folder`, which must not be there; it appears whole or not at all. Returns its finished page.

    Concepts of one id are joined: names of all, the first one's name, type and species.

    Raises:
        InputError: there is no concept.
        ConfigurationError: the folder is there, or cannot be written.
    """
    if folder.exists():
        raise ConfigurationError(f"{folder}: is there already; give another name, or --replace")
    rows = sorted(_joined(concepts).values(), key=lambda one: one.concept_id)
    if not rows:
        raise InputError(f"{', '.join(one.name for one in page.sources) or page.name}: holds no concept with a name")
    tables = {CONCEPTS_FILE: flat_table(rows, _CONCEPTS), KEYS_FILE: _key_table(rows)}
    names = sum(1 + len(one.synonyms) for one in rows)
    done = replace(page, concepts=len(rows), names=names, digest=_digest(rows))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            for name, table in tables.items():
                pq.write_table(table, work / name, compression="zstd", write_page_checksum=True)
            written = tuple(SourceFile(name, sha256_of_file(work / name)) for name in tables)
            done = replace(done, files=written)
            write_text(work / ABOUT_FILE, json.dumps(asdict(done), indent=1, ensure_ascii=False) + "\n")
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written ({error})") from error
    return done


def read_page(folder: Path) -> VocabularyPage:
    """What the vocabulary in a folder is.

    Raises:
        ConfigurationError: it is missing or damaged, or other keys than ours were made for it.
    """
    path = folder / ABOUT_FILE
    try:
        flat = json.loads(path.read_text(encoding="utf-8"))
        files = {"sources": flat["sources"], "files": flat.get("files", ())}
        page = VocabularyPage(**flat | {name: tuple(SourceFile(**one) for one in some) for name, some in files.items()})
    except FileNotFoundError as error:
        raise ConfigurationError(f"{folder}: is no vocabulary; `bioner vocabulary build` makes one") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path}: is damaged ({error!r}); {_AGAIN}") from error
    if page.keys_version != KEYS_VERSION:
        raise ConfigurationError(f"{folder}: was made by another version of bioner; {_AGAIN}")
    return page


def read_tables(folder: Path, page: VocabularyPage) -> tuple[pa.Table, pa.Table]:
    """The concepts and the keys of a vocabulary, whose page says which bytes they have.

    Parquet's own checksums cover what a page holds and not its header: a bit that flips there gives other rows in
    silence.

    Raises:
        ConfigurationError: a file is missing or damaged.
    """
    try:
        for one in page.files:
            if sha256_of_file(folder / one.name) != one.sha256:
                raise ValueError(f"{one.name} has other bytes than were written")
        found = tuple(
            pq.read_table(folder / name, schema=schema, page_checksum_verification=True)
            for name, schema in ((CONCEPTS_FILE, _CONCEPTS), (KEYS_FILE, _KEYS))
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder}: is damaged ({error}); {_AGAIN}") from error
    return found[0], found[1]


def _joined(concepts: Iterable[Concept]) -> dict[str, Concept]:
    rows: dict[str, list[Concept]] = {}
    for one in concepts:
        rows.setdefault(one.concept_id, []).append(one)
    return {concept_id: _merged(found) for concept_id, found in rows.items()}


def _merged(rows: Sequence[Concept]) -> Concept:
    """One concept of its rows, of which some vocabularies have one per name: so it must not cost their square."""
    first, *others = rows
    if not others:
        return first
    weights: dict[str, float] = {}
    named = ((one.name, SYNONYM) for one in others)
    for name, weight in (*((one.name, one.weight) for row in rows for one in row.synonyms), *named):
        weights[name] = max(weight, weights.get(name, 0.0))
    weights.pop(first.name, None)
    return replace(
        first,
        synonyms=tuple(Synonym(name, weight) for name, weight in weights.items()),
        replaces=tuple(dict.fromkeys(old for row in rows for old in row.replaces)),
        parents=tuple(dict.fromkeys(parent for row in rows for parent in row.parents)),
    )


def _key_table(rows: Sequence[Concept]) -> pa.Table:
    keys: list[str] = []
    kinds, weights, places = array("b"), array("f"), array("i")
    for place, concept in enumerate(rows):
        best: dict[str, tuple[int, float]] = {}
        for name, weight in ((concept.name, PREFERRED), *((one.name, one.weight) for one in concept.synonyms)):
            for kind, key in enumerate(name_keys(name)):
                known = best.get(key)
                if known is None or (kind, -weight) < (known[0], -known[1]):
                    best[key] = (kind, weight)
        for key, (kind, weight) in best.items():
            keys.append(key)
            kinds.append(kind)
            weights.append(weight)
            places.append(place)
    columns = [pa.array(one, field.type) for one, field in zip((keys, kinds, weights, places), _KEYS, strict=True)]
    table = pa.Table.from_arrays(columns, schema=_KEYS)
    return table.sort_by([("key", "ascending"), ("kind", "ascending"), ("concept", "ascending")])


def _digest(rows: Iterable[Concept]) -> str:
    """Of everything that a link can depend on, whatever wrote the files."""
    digest = hashlib.sha256(KEYS_VERSION.encode())
    for one in rows:
        names = (f"{synonym.name}\t{synonym.weight}" for synonym in one.synonyms)
        said = (one.concept_id, one.name, one.type, one.taxon, *one.replaces, "", *one.parents, "", *names)
        digest.update("\0".join(said).encode() + b"\n")
    return digest.hexdigest()
