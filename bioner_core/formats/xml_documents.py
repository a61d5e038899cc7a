"""The records of all XML documents of a file: what is joined with `cat`, or fetched in batches, is several of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NoReturn

from bioner_core.formats.contract import ByteSource, FileFault, Origin, PendingRecord, RecordFault
from bioner_core.formats.xml_stream import AnotherDocument, finished_elements
from bioner_core.formats.xml_text import Element


@dataclass(frozen=True, slots=True)
class OpenedXml:
    """One document as it goes to the parser: its bytes, and the local name of its root element."""

    pieces: Iterator[bytes]
    root: str


def elements_of_documents(
    stream: ByteSource, opened: Callable[[ByteSource], OpenedXml], tags: tuple[str, ...]
) -> Iterator[Element | FileFault]:
    """The elements of some tags in every document of a stream, in file order; `opened` reads what stands before a root.

    A document that breaks off where the next one begins is a `FileFault` among them, and reading goes on.

    Raises:
        FileFault: after the last usable element, when the rest of the stream cannot be read.
    """
    source = stream
    while True:
        document = opened(source)
        try:
            yield from finished_elements(document.pieces, tags, root=document.root)
        except AnotherDocument as following:
            if following.broken:
                yield following
            source = PieceSource(chain((following.content,), document.pieces))
        else:
            return


def broken_document(fault: FileFault) -> PendingRecord:
    """The record that stands for what a document lacks that breaks off before another one."""
    return partial(_turned_down, fault)


def _turned_down(fault: FileFault, _origin: Origin) -> NoReturn:
    raise RecordFault(fault.reason, f"{fault}: the document breaks off, and another one begins")


class PieceSource:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        taken, self._held = self._held[:size], self._held[size:]
        return taken
