"""Sentences of a passage, with exact offsets: the pieces that a model annotates one by one."""

from collections.abc import Iterator

from bioner_core.documents import Passage, Sentence
from bioner_core.text.boundaries import sentence_ends
from bioner_core.text.folding import fold
from bioner_core.text.long_sentences import cut_long

SPLITTER_VERSION = "rules-3"
"""Part of the fingerprint: change it with any change that moves a boundary, the word lists included."""

MAX_SENTENCE_TOKENS = 200
"""Longest sentence by `estimate_tokens`; 12 of 15,038 GENIA training sentences and 89 of 15,000 of CMeEE are longer."""


def split_passage(passage: Passage, passage_index: int) -> list[Sentence]:
    """The sentences of a passage, in order and without overlap; `passage.text[s.start:s.end] == s.text` for each.

    Every character that is not white space lies in exactly one sentence; no sentence starts or ends with white space.
    A sentence above `MAX_SENTENCE_TOKENS` is cut between tagging units, so nothing is truncated. Works in time linear
    in the text for any text, lone surrogates and control characters included; the language tag changes nothing.
    """
    return [
        Sentence(passage_index, index, start, end, passage.text[start:end], passage.lang)
        for index, (start, end) in enumerate(_ranges(passage.text))
    ]


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in (*sentence_ends(_plain_form(text)), len(text)):
        whole = _trim(text, start, end)
        if end - start <= MAX_SENTENCE_TOKENS:
            yield from whole
        else:
            for first, last in whole:
                yield from _pieces(text, first, last)
        start = end


def _plain_form(text: str) -> str:
    """What the rules look at: other forms of letters and digits (`H₂O₂`) as plain ones, where no offset moves."""
    folded = fold(text)
    return folded.text if folded.ends is None else text


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for first, last in cut_long(text[start:end], MAX_SENTENCE_TOKENS):
        yield from _trim(text, start + first, start + last)


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The range without white space at its edges, or nothing when it is all white space."""
    piece = text[start:end]
    kept = piece.strip()
    if kept:
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(kept)
