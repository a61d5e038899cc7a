"""CoNLL: one token per line, a blank line after a sentence; four columns with tabs: token, start, end, BIO tag.

Offsets count code points of the passage. A line `-DOCSTART-`, document id, passage number, `O` stands before each
passage. Tokens are tagging units without their blank. The format is flat: of mentions that share a character the
longest stays, of equally long ones that with the higher selector score; the others are counted as left out.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bioner_core.documents import Passage
from bioner_core.export.output import TextFile
from bioner_core.export.provenance import Tally, one_line
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.text.sentences import split_passage
from bioner_core.text.units import core_spans


def _document(found: DocumentMentions, tally: Tally) -> str:
    by_passage: dict[int, list[Mention]] = {}
    for one in found.mentions:
        by_passage.setdefault(one.passage_index, []).append(one)
    lines: list[str] = []
    for index, passage in enumerate(found.document.passages):
        flat = outermost(by_passage.get(index, ()))
        tally.left_out += len(by_passage.get(index, ())) - len(flat)
        lines.append(f"-DOCSTART-\t{one_line(found.document.doc_id, tally)}\t{index}\tO\n\n")
        lines += _lines(passage, index, flat)
    return "".join(lines)


def outermost(mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions of one passage that share no character, in the order of the text: the longest first choice."""
    chosen: list[Mention] = []
    starts: list[int] = []
    for one in sorted(mentions, key=_first_choice):
        place = bisect_left(starts, one.end)
        if place == 0 or chosen[place - 1].end <= one.start:
            chosen.insert(place, one)
            starts.insert(place, one.start)
    return chosen


def _first_choice(mention: Mention) -> tuple[object, ...]:
    return (mention.start - mention.end, -mention.selector_score, mention.start, mention.label_set, mention.type)


def _lines(passage: Passage, index: int, mentions: Sequence[Mention]) -> Iterator[str]:
    waiting = [(one.start, one.end, "_".join(one.type.split())) for one in reversed(mentions)]
    for sentence in split_passage(passage, index):
        text, offset = sentence.text, sentence.start
        for core, core_end in core_spans(text):
            token = text[core:core_end]
            if token.isspace():
                continue
            start, end = offset + core, offset + core_end
            while waiting and waiting[-1][1] <= start:
                waiting.pop()
            yield f"{token}\t{start}\t{end}\t{_tag(waiting[-1], start, end) if waiting else 'O'}\n"
        yield "\n"


def _tag(mention: tuple[int, int, str], start: int, end: int) -> str:
    """The tag of a token; the first token of a mention is the one that its first character is in."""
    first, _, name = mention
    return "O" if end <= first else f"B-{name}" if start <= first else f"I-{name}"


CONLL = TextFile(_document)
"""The exporter."""
