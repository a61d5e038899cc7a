"""A document in the terminal: its text with its mentions drawn as coloured lines below it."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.viewer.colours import meaning_of, style_number
from bioner_core.viewer.stack import stacked
from jobs.terminal.mention_table import printable
from jobs.terminal.result_console import result_console

_COLOURS = ("blue", "dark_orange", "green", "magenta", "purple", "cyan", "yellow", "red", "spring_green3", "grey62")
_MAX_WIDTH = 100
_WIDE = 2
_ACCEPTED, _REJECTED = "─", "╌"

TypeKey = tuple[str, str]


def print_document(found: DocumentMentions, *, rejected: bool) -> None:
    """Print a document to standard output; `rejected` adds what the selector turned down, as broken lines below."""
    console = result_console()
    mentions = [one for one in found.mentions if one.accepted or rejected]
    types = sorted({(one.label_set, one.type) for one in mentions})
    colours = {key: _COLOURS[style_number(*key) % len(_COLOURS)] for key in types}
    document = found.document
    console.print(Text(f"{printable(document.doc_id)}  version {document.version}", style="bold"))
    console.print(_legend(mentions, colours))
    for index, passage in enumerate(document.passages):
        heading = ": ".join(filter(None, (passage.section, passage.label)))
        console.print(Text(f"\n{printable(heading)}", style="dim"))
        own = [one for one in mentions if one.passage_index == index]
        for line in drawn_lines(passage.text, own, colours=colours, width=min(console.width, _MAX_WIDTH)):
            console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _legend(mentions: Sequence[Mention], colours: dict[TypeKey, str]) -> Text:
    legend = Text()
    for (label_set, name), colour in colours.items():
        count = sum((one.label_set, one.type) == (label_set, name) and one.accepted for one in mentions)
        legend.append(f"{_ACCEPTED * 2} ", style=colour)
        meaning = meaning_of(label_set, name)
        about = f"{meaning}, {label_set}" if meaning and meaning != name else label_set
        legend.append(f"{printable(name)} ({printable(about)}) {count}   ")
    return legend


def drawn_lines(text: str, mentions: Sequence[Mention], *, colours: dict[TypeKey, str], width: int) -> Iterator[Text]:
    """Rows of a passage, each under the lines of its mentions; no row is wider than `width` cells."""
    levels = stacked(text, mentions).levels
    for start, end in rows_of(text, width):
        own = [one for one in mentions if one.start < end and start < one.end]
        columns = _columns(text, start, end)
        for accepted in (True, None, False):
            if accepted is None:
                yield Text(_shown(text[start:end]))
                continue
            heights = sorted({levels[one.mention_id] for one in own if one.accepted == accepted}, reverse=accepted)
            for height in heights:
                at_height = [one for one in own if one.accepted == accepted and levels[one.mention_id] == height]
                yield _line(at_height, columns, colours, start=start, end=end)


def _line(
    mentions: Sequence[Mention], columns: Sequence[int], colours: dict[TypeKey, str], *, start: int, end: int
) -> Text:
    line = Text()
    for one in sorted(mentions, key=lambda one: one.start):
        left, right = columns[max(one.start, start) - start], columns[min(one.end, end) - start]
        line.append(" " * (left - line.cell_len))
        label = printable(one.type) if one.start >= start else ""
        label = label if cell_len(label) + 2 <= right - left else ""
        drawn = (_ACCEPTED if one.accepted else _REJECTED) * (right - left - cell_len(label))
        line.append(label + drawn, style=colours[one.label_set, one.type])
    return line


def rows_of(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Cut a text into rows of at most `width` cells: at line ends, else at a blank or wide character, else anywhere."""
    start, cells, last_break = 0, 0, 0
    for index, character in enumerate(text):
        size = cell_len(_shown(character))
        if size == _WIDE:
            last_break = index
        if cells + size > width and index > start:
            cut = last_break if last_break > start else index
            yield start, cut
            start, cells = cut, cell_len(_shown(text[cut:index]))
        cells += size
        if character == " " or size == _WIDE:
            last_break = index + 1
        elif character == "\n":
            yield start, index + 1
            start, cells = index + 1, 0
    if start < len(text):
        yield start, len(text)


def _columns(text: str, start: int, end: int) -> list[int]:
    """The cell at which each character of a row stands, and the one after the last."""
    columns = [0]
    for character in text[start:end]:
        columns.append(columns[-1] + cell_len(_shown(character)))
    return columns


def _shown(text: str) -> str:
    """The text as it is printed: a blank for white space, every other control character spelled out."""
    return printable("".join(" " if character.isspace() else character for character in text))
