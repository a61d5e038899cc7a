"""CoNLL: a token a line, a blank line after a sentence; four columns with tabs: token, start, end, BIO tag.

Offsets count code points of the passage. A line `-DOCSTART-`, document id, passage number, `O` stands before each
passage. Tokens are tagging units without their blank. The format is flat: of mentions that share a character the
longest stays, of equally long ones that with the higher selector score; the others are counted as left out.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bioner_core.documents import Passage
from bioner_core.export.provenance import Tally
from bioner_core.export.substitution import one_line
from bioner_core.export.text_file import TextFile
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.text.sentences import split_passage
from bioner_core.text.units import split_units


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
    waiting = list(reversed(mentions))
    for sentence in split_passage(passage, index):
        tokens = [(sentence.start + unit.core, sentence.start + unit.end) for unit in split_units(sentence.text)]
        for start, end in tokens:
            token = passage.text[start:end]
            if not token.strip():
                continue
            while waiting and waiting[-1].end <= start:
                waiting.pop()
            yield f"{token}\t{start}\t{end}\t{_tag(waiting[-1] if waiting else None, start, end)}\n"
        yield "\n"


def _tag(mention: Mention | None, start: int, end: int) -> str:
    """The tag of a token; the first token of a mention is the one that its first character is in."""
    if mention is None or end <= mention.start:
        return "O"
    return f"{'B' if start <= mention.start else 'I'}-{'_'.join(mention.type.split())}"


CONLL = TextFile(_document)
"""The exporter."""
