"""What a reader yields for each record of a dump: a document, a deletion, or a reject."""

from dataclasses import dataclass
from enum import StrEnum

from bioner_core.documents import Document


class RejectReason(StrEnum):
    """Why a record or a row has no annotation. The values are stored, so they never change meaning."""

    UNKNOWN_FORMAT = "unknown_format"
    EMPTY_FILE = "empty_file"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    FORBIDDEN_MARKUP = "forbidden_markup"
    BAD_ENCODING = "bad_encoding"
    NO_TEXT = "no_text"
    LOST_TEXT = "lost_text"
    MISSING_ID = "missing_id"
    TOO_LARGE = "too_large"
    BAD_CHARACTERS = "bad_characters"
    OUT_OF_MEMORY = "out_of_memory"
    DEADLINE = "deadline"
    ACTOR_DIED = "actor_died"
    ANNOTATION_FAILED = "annotation_failed"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The source has withdrawn a document; the document may never have been seen here."""

    doc_id: str
    source: str
    version: int
    input_file: str
    record_number: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A record, or one of its sentences, that could not be annotated, and why.

    `doc_id` is empty when the record was too broken to name itself; `stage` is `read` or `annotate`; `traceback` is
    empty unless an exception was caught at one of the two failure boundaries (row, shard). `lost_bytes` are those of a
    file's rest for which the reject stands, `lost_records` the records beyond its own that they are reckoned to hold,
    by the mean of those before it; neither is stored with it.
    """

    doc_id: str
    source: str
    input_file: str
    record_number: int
    stage: str
    reason: RejectReason
    message: str
    attempts: int = 1
    input_digest: str = ""
    traceback: str = ""
    lost_bytes: int = 0
    lost_records: int = 0


def storable(text: str) -> str:
    """The text of a reject as a file can hold it: an error may quote what no encoding has."""
    return text.encode(errors="backslashreplace").decode()


Record = Document | Deletion | Reject
"""One record of a dump, in file order."""
