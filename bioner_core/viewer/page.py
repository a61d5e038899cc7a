"""One document as a page: a single HTML file that needs no network and no script."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from bioner_core.documents import Passage
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.viewer.colours import COLOURS, definition_of, meaning_of, style_number
from bioner_core.viewer.marks import about_mention, as_text, marked, type_and_assertion
from bioner_core.viewer.stack import Piece, stacked
from bioner_core.viewer.templates import page_environment

TypeKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _DrawnPassage:
    passage: Passage
    body: Markup
    above: int
    below: int


@dataclass(frozen=True, slots=True)
class _LegendEntry:
    name: str
    meaning: str
    definition: str
    label_set: str
    style: str
    count: int


def render_page(
    found: DocumentMentions, *, origin: str, above: Markup | None = None, below: Markup | None = None
) -> str:
    """The page of a document: text with lines over it, a legend, and what the selector turned down on demand.

    `above` and `below` are markup of whoever shows the page among others. All text of the document is escaped; a
    character that HTML cannot hold shows as U+FFFD, and one that turns the direction of the text is spelled out.
    """
    counts = Counter((one.label_set, one.type) for one in found.mentions if one.accepted)
    styles = _styles({(one.label_set, one.type) for one in found.mentions})
    passages = list(_passages(found, styles))
    return (
        page_environment("bioner_core.viewer")
        .get_template("document.html.j2")
        .render(
            above=above or Markup(),
            below=below or Markup(),
            document=found.document,
            fingerprint=found.fingerprint,
            origin=origin,
            title=next((one.text for one in found.document.passages if one.text), ""),
            passages=passages,
            legend=[_legend_entry(key, style, counts[key], found.document.lang) for key, style in styles.items()],
            turned_down=[one for one in found.mentions if not one.accepted],
            accepted=sum(counts.values()),
            levels=max([1, *(one.above for one in passages), *(one.below for one in passages)]),
        )
    )


def _legend_entry(key: TypeKey, style: str, count: int, lang: str) -> _LegendEntry:
    return _LegendEntry(key[1], meaning_of(*key), definition_of(*key, lang=lang), key[0], style, count)


def _styles(types: Iterable[TypeKey]) -> dict[TypeKey, str]:
    """The classes of each type, the same on every page."""
    numbers = {key: style_number(*key) for key in sorted(types)}
    return {key: f"t{number % COLOURS}" + (" d" if number >= COLOURS else "") for key, number in numbers.items()}


def _passages(found: DocumentMentions, styles: Mapping[TypeKey, str]) -> Iterator[_DrawnPassage]:
    by_passage: dict[int, list[Mention]] = {}
    for one in found.mentions:
        by_passage.setdefault(one.passage_index, []).append(one)
    words = _descriptions(found)
    for index, passage in enumerate(found.document.passages):
        mentions = by_passage.get(index, [])
        stack = stacked(passage.text, mentions)

        def opening(piece: Piece, levels: Mapping[str, int] = stack.levels) -> str:
            key = piece.mention.mention_id
            style = styles[piece.mention.label_set, piece.mention.type]
            return _opening(piece, levels[key], style=style, about=words[key])

        body = Markup("".join(marked(stack.content, opening)))  # noqa: S704 - escaped there
        heights = (stack.height(mentions, accepted=kind) for kind in (True, False))
        yield _DrawnPassage(passage, body, *heights)


def _opening(piece: Piece, level: int, *, style: str, about: str) -> str:
    mention = piece.mention
    # A rejected candidate is out of the way of the keyboard; the table below the text has it.
    is_first = mention.accepted and piece.is_start
    focus = f' tabindex="0" data-t="{as_text(type_and_assertion(mention))}"' if is_first else ""
    kind = "m" if mention.accepted else "r"
    return f'<mark class="{kind} {style} h{level}"{focus} aria-description="{as_text(about)}">'


def _descriptions(found: DocumentMentions) -> dict[str, str]:
    texts = {one.mention_id: one.text for one in found.mentions}
    concepts = {key: f"{one.name} {one.concept_id}".strip() for key, one in found.concepts.items()}
    return {
        one.mention_id: about_mention(
            one, inside=texts.get(one.parent_id or "", ""), concept=concepts.get(one.mention_id, "")
        )
        for one in found.mentions
    }
