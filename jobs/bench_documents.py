"""Documents for a bench: as many and as long as wanted, made of the sentences of real ones."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from bioner_core.documents import Document
from bioner_core.errors import InputError
from bioner_core.formats.inputs import expand_inputs
from bioner_core.formats.reader import read_records
from bioner_core.text.sentences import split_passage

_MOST_DOCUMENTS = 5_000
"""Of the inputs; what comes after them would only make the bench start later."""

_CHINESE = "zh"


def write_bench_documents(
    inputs: Sequence[str], path: Path, *, documents: int, document_sentences: int | None = None
) -> None:
    """Write so many documents as JSON lines: the inputs' own ones over and over, as they are or of a given length.

    With `document_sentences` each is made of so many consecutive sentences of the inputs, in the language of the
    document whose place it takes.

    Raises:
        InputError: the inputs hold no document with a sentence, or cannot be read.
    """
    found = _documents(inputs)
    sentences: defaultdict[str, list[str]] = defaultdict(list)
    for document in found:
        for index, passage in enumerate(document.passages):
            sentences[passage.lang] += [one.text for one in split_passage(passage, index)]
    endless = {lang: cycle(texts) for lang, texts in sentences.items()}
    with path.open("w", encoding="utf-8") as stream:
        for number, document in enumerate(islice(cycle(found), documents)):
            lang = document.passages[0].lang
            texts = [passage.text for passage in document.passages]
            if document_sentences is not None:
                texts = list(islice(endless[lang], document_sentences))
            joined = ("" if lang == _CHINESE else " ").join(texts)
            stream.write(json.dumps({"id": f"bench-{number}", "text": joined, "lang": lang}, ensure_ascii=False) + "\n")


def _documents(inputs: Sequence[str]) -> list[Document]:
    found = list(islice((one for one in _all_documents(inputs) if _has_sentence(one)), _MOST_DOCUMENTS))
    if not found:
        raise InputError(f"{', '.join(inputs)}: hold no document with a sentence: name others")
    return found


def _all_documents(inputs: Sequence[str]) -> Iterator[Document]:
    for name in expand_inputs(inputs):
        yield from (record for record in read_records(name) if isinstance(record, Document))


def _has_sentence(document: Document) -> bool:
    return bool(document.passages) and bool(split_passage(document.passages[0], 0))
