"""The formats that bioner reads, in the order in which they are tried on a file whose format is not named.

The strictest sniff stands first: an XML root, then the tagged forms by their first line (Wanfang's NoteExpress before
CNKI's, which would take it too), and JSON lines last, since many other formats are JSON as well.
"""

from bioner_core.errors import ConfigurationError
from bioner_core.formats.cnki_endnote import CnkiEndNoteReader
from bioner_core.formats.cnki_estudy import CnkiEStudyReader
from bioner_core.formats.cnki_noteexpress import CnkiNoteExpressReader, WanfangNoteExpressReader
from bioner_core.formats.cnki_refworks import CnkiRefWorksReader
from bioner_core.formats.contract import Reader
from bioner_core.formats.jsonl import JsonLinesReader
from bioner_core.formats.pubmed import PubmedReader

READERS: tuple[Reader, ...] = (
    PubmedReader(),
    WanfangNoteExpressReader(),
    CnkiNoteExpressReader(),
    CnkiRefWorksReader(),
    CnkiEndNoteReader(),
    CnkiEStudyReader(),
    JsonLinesReader(),
)


def reader_named(name: str) -> Reader:
    """The reader of a format.

    Raises:
        ConfigurationError: there is none of that name; the message lists those that there are.
    """
    for reader in READERS:
        if reader.name == name:
            return reader
    known = ", ".join(reader.name for reader in READERS)
    raise ConfigurationError(f"format {name!r} is not known; use one of: {known}")


def reader_for(head: bytes) -> Reader | None:
    """The first reader that recognises the start of a decompressed file."""
    return next((reader for reader in READERS if reader.recognises(head)), None)
