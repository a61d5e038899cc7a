"""brat standoff: a folder of pairs of `.txt` and `.ann`, a thousand documents per subfolder, and `annotation.conf`.

brat's rules (its pages on standoff and on configuration): offsets count code points of the `.txt`; the text of a `T`
line is that of its span and holds no line end; names of types are letters, digits, `_` and `-`. So each passage is one
line, and a character that would end a line inside a passage is a blank.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bioner_core.export.output import new_folder
from bioner_core.export.provenance import Provenance, Tally, one_line
from bioner_core.formats.brat_collection import CONFIGURATION_FILE, TURNED_DOWN, brat_type, configuration
from bioner_core.store.document_mentions import DocumentMentions

DOCUMENTS_PER_FOLDER = 1_000

_PLAIN_ID = re.compile(r"[a-z]+:[A-Za-z0-9.-]{1,100}")
_NO_NAME = re.compile(r"[^A-Za-z0-9.-]")


def export_brat(documents: Iterable[DocumentMentions], output: Path, *, provenance: Provenance, tally: Tally) -> None:
    """Write a brat collection; nested mentions are nested spans, scores are notes.

    Raises:
        ConfigurationError: `output` is there and not an empty folder.
        StoreError: it cannot be written.
    """
    types: set[str] = set()
    with new_folder(output) as folder:
        for number, found in enumerate(documents):
            part = folder / f"{number // DOCUMENTS_PER_FOLDER:05d}"
            if number % DOCUMENTS_PER_FOLDER == 0:
                part.mkdir()
            texts = [one_line(passage.text, tally) for passage in found.document.passages]
            _write(part / f"{file_name(found.document.doc_id)}.txt", "".join(f"{text}\n" for text in texts))
            _write(part / f"{file_name(found.document.doc_id)}.ann", "".join(_lines(found, texts)))
            types |= {one.type for one in found.mentions}
        _write(folder / CONFIGURATION_FILE, configuration(types, facts=_facts(provenance)))


def file_name(doc_id: str) -> str:
    """A file name for a document, of letters, digits, `.`, `-` and `_`; two documents never share one."""
    name = _NO_NAME.sub("_", doc_id)
    if _PLAIN_ID.fullmatch(doc_id):
        return name
    return f"{name[:100].lstrip('.')}_{hashlib.sha256(doc_id.encode()).hexdigest()[:12]}"


def _lines(found: DocumentMentions, texts: list[str]) -> Iterator[str]:
    starts, offset = [], 0
    for text in texts:
        starts.append(offset)
        offset += len(text) + 1
    rejected = 0
    for number, one in enumerate(found.mentions, start=1):
        place, text = starts[one.passage_index], texts[one.passage_index][one.start : one.end]
        yield f"T{number}\t{brat_type(one.type)} {place + one.start} {place + one.end}\t{text}\n"
        note = f"{one.label_set} selector {one.selector_score:.4f} tag {one.tag_score:.3f}"
        yield f"#{number}\tAnnotatorNotes T{number}\t{note}\n"
        if not one.accepted:
            rejected += 1
            yield f"A{rejected}\t{TURNED_DOWN} T{number}\n"


def _facts(provenance: Provenance) -> str:
    return "".join(f"# {key}: {value}\n" for key, value in provenance.facts.items())


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
