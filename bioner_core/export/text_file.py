"""One file of text, a document at a time: what most formats are."""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bioner_core.export.provenance import Provenance, Tally
from bioner_core.store.atomic import replacing
from bioner_core.store.document_mentions import DocumentMentions


def _nothing(_: Provenance) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class TextFile:
    """An exporter for a format that is one UTF-8 file; compressed with gzip if its name ends in `.gz`."""

    document: Callable[[DocumentMentions, Tally], str]
    opening: Callable[[Provenance], str] = _nothing
    separator: str = ""
    closing: str = ""

    def __call__(
        self, documents: Iterable[DocumentMentions], output: Path, *, provenance: Provenance, tally: Tally
    ) -> None:
        """Write the file under a temporary name, then put it in its place.

        Raises:
            StoreError: the file cannot be written; one that was there before stays as it was.
        """
        with replacing(output) as temporary, _writer(temporary, compressed=output.suffix == ".gz") as file:
            file.write(self.opening(provenance))
            for number, found in enumerate(documents):
                file.write((self.separator if number else "") + self.document(found, tally))
            file.write(self.closing)


@contextmanager
def _writer(path: Path, *, compressed: bool) -> Iterator[IO[str]]:
    # no newline translation: an offset counts every character of the file
    if compressed:
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            yield file
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
