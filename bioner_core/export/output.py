"""What an export writes to: one file of text, a document at a time, or a folder; it appears whole or not at all."""

import gzip
import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from bioner_core.errors import ConfigurationError, StoreError, cause_of
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


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Lend a folder beside `output`; on a clean exit it becomes `output`, otherwise it is removed.

    Raises:
        ConfigurationError: there is a file of that name, or a folder that is not empty.
        StoreError: the disk refuses.
    """
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise ConfigurationError(f"--output: {str(output)!r} is there already; name a new folder, or remove it")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise StoreError(
            f"{output}: cannot be written ({cause_of(error)}). Check its folder and its permissions"
        ) from error
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp keeps others out
        os.replace(temporary, output)
    except OSError as error:
        raise StoreError(
            f"{output}: cannot be written ({cause_of(error)}). Free some space, or check the permissions"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
