"""Plain text: a file is one document of one passage. No content gives it away, so it is read only where it is named."""

import posixpath
from collections.abc import Iterator
from functools import partial

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
)
from bioner_core.formats.encoding import decoded_text
from bioner_core.formats.languages import detect_language
from bioner_core.records import RejectReason


class PlainTextReader(Reader):
    """Reads a text file as a document, named after the file: `text:notes/p1.txt` for `notes/p1.txt`.

    The folder is part of the name as it was given, so that files of the same name in two folders are two documents.
    """

    name = "text"
    source = "text"

    def recognises(self, head: bytes) -> bool:
        """Never: a README is plain text too. `--format text` reads every file that is named."""
        return False

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """The one record of a file; line ends of any kind are given as `\\n`."""
        with decoded_text(stream) as text:
            pieces: list[str] = []
            size = 0
            for piece in text.whole_lines():
                size += len(piece)
                if size <= MAX_RECORD_BYTES:
                    pieces.append(piece)
            yield partial(_document, "".join(pieces) if size <= MAX_RECORD_BYTES else None)


def _document(text: str | None, origin: Origin) -> Document:
    name = posixpath.normpath(origin.input_file)
    doc_id = f"{origin.source}:{name}"
    if text is None:
        raise RecordFault(
            RejectReason.TOO_LARGE, f"the text takes more than {MAX_RECORD_BYTES} characters", doc_id=doc_id
        )
    if "\0" in text:
        raise RecordFault(RejectReason.MALFORMED, "the file is not text: it holds NUL characters", doc_id=doc_id)
    if not text.strip():
        raise RecordFault(RejectReason.NO_TEXT, "the file holds blanks only", doc_id=doc_id)
    lang = detect_language(text)
    meta = DocumentMeta(
        ids=(("file", posixpath.basename(name)),), input_file=origin.input_file, record_number=origin.record_number
    )
    return Document(doc_id, origin.source, 1, lang, (Passage("text", "", lang, text),), meta)
