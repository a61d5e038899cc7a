"""Documents, passages and sentences: the immutable values that every stage passes on.

All offsets count Unicode code points from 0, end exclusive.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passage:
    """One run of text as a reader of the article sees it: markup removed, entities resolved, nothing else changed.

    `section` is the field's place (`title`, `abstract`, ...); `label` is the printed heading of a structured abstract,
    or the empty string; `lang` is an ISO 639-1 code (`en`, `zh`, ...).
    """

    section: str
    label: str
    lang: str
    text: str


@dataclass(frozen=True, slots=True)
class RemovedCode:
    """Characters of an export that only say how text is set: they stood before `offset` of a passage's text.

    Putting all of a passage's codes back, in order, gives the field as the export writes it.
    """

    passage_index: int
    offset: int
    code: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A subject heading that an indexer gave, one for each qualifier; `qualifier` is empty where it has none.

    `vocabulary` is where it is from (`mesh`); `id` is its id there, or empty; `major` says that it is a main topic.
    """

    vocabulary: str
    id: str
    name: str
    qualifier: str = ""
    major: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """A notice that concerns a document: `kind` as the source names it (`RetractionIn`, `ErratumIn`, ...).

    `reference` is the notice as the source cites it; `doc_id` is the document that is the notice, or empty.
    """

    kind: str
    reference: str
    doc_id: str = ""


@dataclass(frozen=True, slots=True)
class DocumentMeta:
    """What is known of a document beside its text.

    `ids` are (kind, value) pairs such as `("pmid", "12345678")`; `year` is empty when unknown; `input_file` is the file
    or URL that it was read from, without credentials; `record_number` counts the records of that file from 0;
    `removed_codes` are the typography codes that the reader took out of the passages, in order. `headings`,
    `publication_types` and `corrections` are None where the reader does not look for them.
    """

    ids: tuple[tuple[str, str], ...] = ()
    journal: str = ""
    year: str = ""
    keywords: tuple[str, ...] = ()
    input_file: str = ""
    record_number: int = 0
    removed_codes: tuple[RemovedCode, ...] = ()
    headings: tuple[Heading, ...] | None = None
    publication_types: tuple[str, ...] | None = None
    corrections: tuple[Correction, ...] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one article or record.

    `doc_id` is `<source>:<id>` (`pubmed:12345678`, `cnki:<link file name or digest>`); `version` counts from 1.
    """

    doc_id: str
    source: str
    version: int
    lang: str
    passages: tuple[Passage, ...]
    meta: DocumentMeta = field(default_factory=DocumentMeta)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a passage that is annotated on its own: `passage.text[start:end] == text`.

    `index` counts the sentences of one passage from 0. A long sentence may be several of these.
    """

    passage_index: int
    index: int
    start: int
    end: int
    text: str
    lang: str
