"""One document as a page: a single HTML file that needs no network and no script."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bioner_core.documents import Passage
from bioner_core.export.provenance import Tally
from bioner_core.export.substitution import xml_characters
from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.text.bidi import spelled_out
from bioner_core.viewer.colours import COLOURS, meaning_of, style_number
from bioner_core.viewer.stack import Piece, stacked

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
    environment = Environment(
        loader=PackageLoader("bioner_core.viewer", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["held"] = _held
    counts = Counter((one.label_set, one.type) for one in found.mentions if one.accepted)
    styles = _styles({(one.label_set, one.type) for one in found.mentions})
    passages = list(_passages(found, styles))
    return environment.get_template("document.html.j2").render(
        above=above or Markup(),
        below=below or Markup(),
        document=found.document,
        fingerprint=found.fingerprint,
        origin=origin,
        title=next((one.text for one in found.document.passages if one.text), ""),
        passages=passages,
        legend=[_LegendEntry(key[1], meaning_of(*key), key[0], style, counts[key]) for key, style in styles.items()],
        turned_down=[one for one in found.mentions if not one.accepted],
        accepted=sum(counts.values()),
        levels=max([1, *(one.above for one in passages), *(one.below for one in passages)]),
    )


def _styles(types: Iterable[TypeKey]) -> dict[TypeKey, str]:
    """The classes of each type, the same on every page."""
    numbers = {key: style_number(*key) for key in sorted(types)}
    return {key: f"t{number % COLOURS}" + (" d" if number >= COLOURS else "") for key, number in numbers.items()}


def _passages(found: DocumentMentions, styles: Mapping[TypeKey, str]) -> Iterator[_DrawnPassage]:
    by_passage: dict[int, list[Mention]] = {}
    for one in found.mentions:
        by_passage.setdefault(one.passage_index, []).append(one)
    parents = {one.mention_id: one.text for one in found.mentions}
    for index, passage in enumerate(found.document.passages):
        mentions = by_passage.get(index, [])
        stack = stacked(passage.text, mentions)
        body = Markup("".join(_marked(stack.content, stack.levels, styles=styles, parents=parents)))  # noqa: S704 - escaped
        heights = (stack.height(mentions, accepted=kind) for kind in (True, False))
        yield _DrawnPassage(passage, body, *heights)


def _marked(
    content: Sequence[Piece | str],
    levels: Mapping[str, int],
    *,
    styles: Mapping[TypeKey, str],
    parents: Mapping[str, str],
) -> Iterator[str]:
    for one in content:
        if isinstance(one, str):
            yield escape(_held(one))
            continue
        mention = one.mention
        style = styles[mention.label_set, mention.type]
        words = escape(_held(_description(mention, parents)))
        # A rejected candidate is out of the way of the keyboard; the table below the text has it.
        is_first = mention.accepted and one.is_start
        focus = f' tabindex="0" data-t="{escape(_held(mention.type))}"' if is_first else ""
        kind = "m" if mention.accepted else "r"
        yield f'<mark class="{kind} {style} h{levels[mention.mention_id]}"{focus} aria-description="{words}">'
        yield from _marked(one.content, levels, styles=styles, parents=parents)
        yield "</mark>"


def _description(mention: Mention, parents: Mapping[str, str]) -> str:
    parent = parents.get(mention.parent_id or "")
    inside = "" if parent is None else f" · inside “{parent}”"
    verdict = "" if mention.accepted else " · turned down"
    return (
        f"{mention.type} ({mention.label_set}) · selector {mention.selector_score:.2f} · tag {mention.tag_score:.2f}"
        f" · {mention.start}-{mention.end}{inside}{verdict}"
    )


def _held(text: str) -> str:
    return spelled_out(xml_characters(text, Tally()))
