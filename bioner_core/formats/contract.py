"""What a format module promises: the `Reader` base class, the two faults that a reader may meet, the measure of loss.

A format module subclasses `Reader`, sniffs in `recognises` and walks a file in `scan`. Numbering, rejects and the check
of characters are done here, once for all formats. Lost is text of a record that is in no passage and under nothing that
docs/formats.md says is not read; blanks and line ends do not count, since readers lay text out anew.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO, Protocol

from bioner_core.documents import Document
from bioner_core.errors import BionerError
from bioner_core.formats.document_texts import names_of, texts_of
from bioner_core.records import Record, Reject, RejectReason, storable

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""The most bytes that one record may take in its decompressed file; a larger one is a `TOO_LARGE` reject."""

MAX_DOCUMENT_CHARACTERS = 2 * MAX_RECORD_BYTES
"""The most characters that all texts of one document may have: a record names once what a document repeats.

The heading of a section is the label of each of its passages, and a subject heading stands once for each qualifier.
Twice the size of one record, since keywords are a passage too.
"""

MAX_NAME_CHARACTERS = 8 * 1024
"""The most characters of a document's id, and of the section and language of a passage: each mention repeats them."""

MAX_BLANK_BYTES = 1024 * 1024
"""The most bytes of blank lines one after another; two gigabytes of line ends pack to two megabytes."""

CHUNK_BYTES = 64 * 1024
"""How much of a stream a reader takes at a time."""

MAX_LOST_SHARE = 0.1
"""The share of a document's text that may be lost; a document that loses more is a `LOST_TEXT` reject."""

_BLANKS = " \t\r\n"

READ_STAGE = "read"
"""`Reject.stage` of everything that a reader turns down."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands: its store partition, its file's public name, and its number in the file from 0."""

    source: str
    input_file: str
    record_number: int


class RecordFault(BionerError):
    """One record cannot be used; the records after it can. `doc_id` is empty when the record does not name itself."""

    def __init__(self, reason: RejectReason, message: str, *, doc_id: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.doc_id = doc_id


class FileFault(BionerError):
    """Nothing after this point of the file can be read; the records before it can be used.

    `unread_bytes` are the bytes that have been taken from the stream and are in no record.
    """

    def __init__(self, reason: RejectReason, message: str, *, unread_bytes: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.unread_bytes = unread_bytes


class ByteSource(Protocol):
    """What a reader reads from: any binary file will do."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        ...


PendingRecord = Callable[[Origin], Record]
"""Makes the record when it is wanted; valid until the next one is asked for, so that skipping a record costs little."""


class Reader(ABC):
    """One format of literature dumps.

    `name` is the value of `--format`; `source` is the store partition of its records.
    """

    name: str
    source: str

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Whether the first bytes of a decompressed file are of this format; the file's name plays no part."""

    @abstractmethod
    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the records in file order in constant memory.

        Raises:
            FileFault: after the last usable record, when the rest of the file cannot be read.
        """

    def read(self, stream: ByteSource, *, input_file: str, first: int = 0, last: int | None = None) -> Iterator[Record]:
        """Yield the records numbered `first` to `last` (exclusive; None: to the end), in file order.

        Each record of the file is exactly one item: a document, a deletion or a reject of stage `read`. A file that
        breaks off is one more reject, numbered after its last good record.
        """
        number = 0
        counted = _CountedSource(stream)
        try:
            for pending in self.scan(counted):
                if last is not None and number >= last:
                    return
                if number >= first:
                    yield _settled(pending, Origin(self.source, input_file, number))
                number += 1
        except FileFault as fault:
            if number >= first and (last is None or number < last):
                yield _tail_reject(fault, Origin(self.source, input_file, number), counted)

    def count(self, stream: ByteSource) -> int:
        """How many items `read` yields for the whole file, without making them."""
        number = 0
        try:
            for _ in self.scan(stream):
                number += 1
        except FileFault:
            number += 1
        return number


def file_reject(fault: FileFault, origin: Origin) -> Reject:
    """The one reject that stands for all of a file from `origin` on."""
    return _reject(origin, fault.reason, str(fault))


def _tail_reject(fault: FileFault, origin: Origin, source: "_CountedSource") -> Reject:
    """The reject of a file's rest, and how much that is: bytes, and records by the mean of those before it."""
    used = source.taken - fault.unread_bytes
    lost = fault.unread_bytes + source.drained()
    if not lost:
        return file_reject(fault, origin)
    mean = used / origin.record_number if origin.record_number and used > 0 else lost
    message = f"{fault}; the {lost:,} bytes behind the last record are not read"
    reject = _reject(origin, fault.reason, message)
    return replace(reject, lost_bytes=lost, lost_records=max(0, round(lost / mean) - 1))


class _CountedSource:
    """A stream that knows how many bytes were taken from it."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        chunk = self._stream.read(size)
        self.taken += len(chunk)
        return chunk

    def drained(self) -> int:
        """How many bytes there are still, up to the end or to a fault of the stream itself."""
        before = self.taken
        try:
            while self.read(CHUNK_BYTES):
                pass
        except FileFault:
            pass
        return self.taken - before


def stream_chunks(stream: ByteSource) -> Iterator[bytes]:
    """The bytes of a stream, at most `CHUNK_BYTES` at a time, until its end."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def copy_whole(stream: ByteSource, target: IO[bytes], *, most: int) -> None:
    """Copy a stream to where it can be read from any place, for formats whose contents stand at the end.

    Raises:
        FileFault: it has more than `most` bytes.
    """
    size = 0
    for chunk in stream_chunks(stream):
        size += len(chunk)
        if size > most:
            raise FileFault(RejectReason.TOO_LARGE, f"the file takes more than {most} bytes")
        target.write(chunk)


def _settled(pending: PendingRecord, origin: Origin) -> Record:
    try:
        record = pending(origin)
        if isinstance(record, Document):
            texts = texts_of(record)
            _require_room(record, texts)
            _require_unicode(record, texts)
            _require_text(record)
    except RecordFault as fault:
        return _reject(origin, fault.reason, str(fault), doc_id=fault.doc_id)
    return record


def _require_room(document: Document, texts: Sequence[str]) -> None:
    """Refuse a document that takes much more than its record, before anything copies its texts."""
    named = len(document.doc_id) <= MAX_NAME_CHARACTERS
    if not named or any(len(name) > MAX_NAME_CHARACTERS for name in names_of(document)):
        message = f"its id, or the section or language of a passage, takes more than {MAX_NAME_CHARACTERS} characters"
    elif sum(map(len, texts)) > MAX_DOCUMENT_CHARACTERS:
        message = f"the document takes more than {MAX_DOCUMENT_CHARACTERS} characters, each repeated label counted"
    else:
        return
    raise RecordFault(RejectReason.TOO_LARGE, message, doc_id=document.doc_id if named else "")


def _require_unicode(document: Document, texts: Sequence[str]) -> None:
    """Refuse unpaired surrogates anywhere in a document: no encoding can store them."""
    # What is ASCII needs no look, and most texts are: to copy and encode all of them takes four times as long.
    doubtful = [text for text in texts if not text.isascii()]
    if not doubtful:
        return
    try:
        "\n".join(doubtful).encode()
    except UnicodeEncodeError:
        _refuse_surrogate(document.doc_id, "\n".join(texts))


def _refuse_surrogate(doc_id: str, whole: str) -> None:
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise RecordFault(
            RejectReason.BAD_CHARACTERS,
            f"unpaired surrogate U+{ord(whole[error.start]):04X} after {whole[: error.start][-20:]!a}",
            doc_id=doc_id,
        ) from None


def _require_text(document: Document) -> None:
    """Refuse a document of which so much is in no passage that its mentions would mislead."""
    share = lost_share(document)
    if share > MAX_LOST_SHARE:
        raise RecordFault(
            RejectReason.LOST_TEXT,
            f"{document.meta.lost_characters:,} characters, {share:.0%} of its text, are in unknown elements, "
            f"more than the {MAX_LOST_SHARE:.0%} allowed; report the file's form, or take those elements out",
            doc_id=document.doc_id,
        )


def _reject(origin: Origin, reason: RejectReason, message: str, *, doc_id: str = "") -> Reject:
    return Reject(
        doc_id=storable(doc_id),
        source=origin.source,
        input_file=origin.input_file,
        record_number=origin.record_number,
        stage=READ_STAGE,
        reason=reason,
        message=storable(message),
    )


def visible_count(text: str) -> int:
    """How many characters of a text are no blanks. Four counts in C cost a tenth of what splitting it costs."""
    return len(text) - sum(map(text.count, _BLANKS))


def lost_share(document: Document) -> float:
    """The share of a document's text that its reader has lost, from 0 to 1."""
    lost = document.meta.lost_characters
    return lost / (lost + sum(visible_count(passage.text) for passage in document.passages)) if lost else 0.0


def missing_count(source: str, unread: Iterable[str], *, kept: Iterable[str]) -> int:
    """How many characters of `source` are neither in a text of `unread`, which are parts of it, nor in one of `kept`.

    Where the numbers agree none is missing. Else it is counted character by character, so that text that is given out
    twice makes up for none that is lost.
    """
    accounted = "".join((*unread, *kept))
    if visible_count(source) == visible_count(accounted):
        return 0
    left = Counter(source) - Counter(accounted)
    return sum(number for character, number in left.items() if not character.isspace())
