"""The formats that bioner reads, in the order in which they are tried on a file whose format is not named.

The strictest sniff stands first: an XML root, then the tagged forms by their first line (Wanfang's NoteExpress before
CNKI's, which would take it too), and JSON lines last, since many other formats are JSON as well.
"""

from bioner_core.errors import ConfigurationError
from bioner_core.formats.bioc_json import BiocJsonReader
from bioner_core.formats.bioc_xml import BiocXmlReader
from bioner_core.formats.cnki_citation import CnkiCitationReader
from bioner_core.formats.cnki_citespace import CnkiCiteSpaceReader
from bioner_core.formats.cnki_endnote import CnkiEndNoteReader
from bioner_core.formats.cnki_estudy import CnkiEStudyReader
from bioner_core.formats.cnki_estudy_xml import CnkiEStudyXmlReader
from bioner_core.formats.cnki_noteexpress import CnkiNoteExpressReader, WanfangNoteExpressReader
from bioner_core.formats.cnki_notefirst import CnkiNoteFirstReader
from bioner_core.formats.cnki_refworks import CnkiRefWorksReader
from bioner_core.formats.cnki_web_export import CnkiWebExportReader
from bioner_core.formats.contract import Reader
from bioner_core.formats.csl_tsv import CslTableReader
from bioner_core.formats.cssci import CssciReader
from bioner_core.formats.delimited_table import DelimitedTableReader
from bioner_core.formats.endnote_xml import CnkiEndNoteXmlReader, EndNoteXmlReader
from bioner_core.formats.html_table import HtmlTableReader
from bioner_core.formats.jats import JatsReader
from bioner_core.formats.jsonl import JsonLinesReader
from bioner_core.formats.nbib import NbibReader
from bioner_core.formats.parquet import ParquetReader
from bioner_core.formats.plain_text import PlainTextReader
from bioner_core.formats.pmc_package import PmcPackageReader
from bioner_core.formats.pubmed import PubmedReader
from bioner_core.formats.pubtator import PubtatorReader
from bioner_core.formats.ris import RisReader
from bioner_core.formats.spreadsheet import SpreadsheetReader

READERS_VERSION = "2"
"""Kept in the plan of an input: change it with any change by which a file has more, fewer or other records."""

READERS: tuple[Reader, ...] = (
    PubmedReader(),
    JatsReader(),
    BiocXmlReader(),
    PmcPackageReader(),
    NbibReader(),
    RisReader(),
    PubtatorReader(),
    WanfangNoteExpressReader(),
    CnkiNoteExpressReader(),
    CnkiRefWorksReader(),
    CnkiEndNoteReader(),
    CnkiEStudyReader(),
    CnkiCiteSpaceReader(),
    CssciReader(),
    CnkiCitationReader(),
    CslTableReader(),
    DelimitedTableReader(),
    CnkiEndNoteXmlReader(),
    EndNoteXmlReader(),
    CnkiEStudyXmlReader(),
    CnkiNoteFirstReader(),
    HtmlTableReader(),
    SpreadsheetReader(),
    ParquetReader(),
    BiocJsonReader(),
    CnkiWebExportReader(),
    JsonLinesReader(),
    PlainTextReader(),
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
