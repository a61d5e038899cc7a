"""Reading dumps: a file or URL in, its records out; and what a planner must know of a file before."""

from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.formats.contract import FileFault, Origin, Reader, file_reject
from bioner_core.formats.folder_inputs import expand_inputs
from bioner_core.formats.input_digests import input_identity, remember_digest
from bioner_core.formats.inputs import public_name
from bioner_core.formats.registry import READERS, reader_for, reader_named
from bioner_core.formats.stream import DumpStream, opened
from bioner_core.formats.unknown_formats import unknown_format_message
from bioner_core.records import Record, RejectReason

__all__ = ["InputSummary", "Reader", "expand_inputs", "public_name", "read_records", "summarise_input"]

UNKNOWN = "unknown"
"""Format and source of a file that no reader recognises."""


@dataclass(frozen=True, slots=True)
class InputSummary:
    """What one pass over a file tells a planner.

    `input_file` is the name as it was given; `records` counts what `read_records` yields for the whole file;
    `digest` is the sha256 in hex, and `bytes` the size, of the file as it is stored.
    """

    input_file: str
    format_name: str
    source: str
    records: int
    digest: str
    bytes: int


def read_records(
    input_file: str, *, format_name: str | None = None, first: int = 0, last: int | None = None
) -> Iterator[Record]:
    """Yield the records numbered `first` to `last` (exclusive; None: to the end) of a file, in file order.

    The format is found from the content unless it is named. A file that is empty or of no known format is one reject
    numbered 0; whatever is wrong inside a file is a reject too.

    Raises:
        InputError: the file cannot be opened, or a read fails midway (a lost connection, say); the message names it.
        ConfigurationError: there is no format of that name.
    """
    with opened(input_file) as raw:
        stream = DumpStream(raw)
        chosen = _chosen_reader(stream, format_name)
        if not isinstance(chosen, FileFault):
            yield from chosen.read(stream, input_file=public_name(input_file), first=first, last=last)
        elif first == 0 and last != 0:
            yield file_reject(chosen, Origin(UNKNOWN, public_name(input_file), 0))


def summarise_input(input_file: str, *, format_name: str | None = None) -> InputSummary:
    """Count the records of a file and take its digest, in one streaming pass.

    Raises:
        InputError, ConfigurationError: as `read_records`.
    """
    identity = input_identity(input_file)
    with opened(input_file, digested=True) as raw:
        stream = DumpStream(raw)
        chosen = _chosen_reader(stream, format_name)
        if isinstance(chosen, FileFault):
            name, source, records = UNKNOWN, UNKNOWN, 1
        else:
            name, source, records = chosen.name, chosen.source, chosen.count(stream)
        digest = raw.drain()
        found = InputSummary(input_file, name, source, records, digest, raw.bytes_read)
    remember_digest(input_file, identity, digest=digest)
    return found


def _chosen_reader(stream: DumpStream, format_name: str | None) -> Reader | FileFault:
    named = reader_named(format_name) if format_name is not None else None
    if not stream.head.strip():
        return stream.fault or FileFault(RejectReason.EMPTY_FILE, "the file is empty")
    chosen = named or reader_for(stream.head)
    if chosen is not None:
        return chosen
    known = ", ".join(reader.name for reader in READERS)
    return FileFault(RejectReason.UNKNOWN_FORMAT, unknown_format_message(stream.head, known))
