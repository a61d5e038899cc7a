"""Training examples: one tagged copy of one sentence, and the positions where its moves were a choice."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from bioner_core.labels.label_set import LabelSet
from bioner_core.mentions import Span
from bioner_core.models.prompt import PromptTokens
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import Move, TagState, UnitSpan, tokens_of_moves
from bioner_core.tagging.scheme import RenderedText, TagScheme, copy_lines, render
from bioner_core.text.units import split_units


@dataclass(frozen=True, slots=True)
class Choice:
    """A position with more than one legal move, copying among them: the token before it, the gold move, the others."""

    index: int
    move: Move
    may_close: bool
    may_open: bool


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """What an example is made from, whatever prompt it stands under: the token ids of each unit, and the gold spans.

    The spans' type indices are those of the corpus's label set; they may cross.
    """

    unit_ids: tuple[tuple[int, ...], ...]
    spans: tuple[UnitSpan, ...]


@dataclass(frozen=True, slots=True)
class TaggingExample:
    """Token ids of one copy line (after the shared prefix), and its choices.

    `type_indices` are the types that this line may open; the copy's own tokens begin at `copy_start`.
    """

    label_set: str
    input_ids: tuple[int, ...]
    choices: tuple[Choice, ...]
    type_indices: tuple[int, ...]
    copy_start: int
    source: SourceSentence | None = None


@dataclass(frozen=True, slots=True)
class LostGold:
    """How many gold mentions no example marks, by what is in the way. A model is trained that they are no mentions."""

    of_other_types: int = 0
    over_sentence_ends: int = 0
    inside_units: int = 0
    crossing: int = 0
    too_deep: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))

    def __add__(self, other: "LostGold") -> "LostGold":
        return LostGold(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        words = (
            (self.of_other_types, "of types that are not asked for"),
            (self.over_sentence_ends, "over the end of a sentence"),
            (self.inside_units, "with an edge inside a word"),
            (self.crossing, "across a longer one"),
            (self.too_deep, "nested too deep"),
        )
        return ", ".join(f"{count} {why}" for count, why in words if count)


def lost_in(rendered: RenderedText, type_names: Sequence[str]) -> LostGold:
    """The gold mentions of one text that its moves leave out."""
    unaligned = rendered.alignment.unaligned
    others = sum(one.type not in type_names for one in unaligned)
    return LostGold(
        of_other_types=others,
        inside_units=len(unaligned) - others,
        crossing=sum(len(one.crossing) for one in rendered.nestings),
        too_deep=sum(len(one.too_deep) for one in rendered.nestings),
    )


class ExampleBuilder:
    """Makes training examples of one label set under the prompt that it always has.

    `lost` counts the gold of all texts so far that no example marks.
    """

    def __init__(
        self, label_set: LabelSet, prompt: PromptTokens, *, vocabulary: TaggingVocabulary, scheme: TagScheme
    ) -> None:
        self.label_set = label_set
        self._prompt = prompt
        self._vocabulary = vocabulary
        self._scheme = scheme
        self.lost = LostGold()
        self._open_ids = [vocabulary.open_id(one.tag) for one in label_set.types]

    def examples(self, text: str, spans: frozenset[Span]) -> list[TaggingExample]:
        """One example per copy line of the scheme; `text` is what the model reads, folded where that differs."""
        units = split_units(text)
        unit_ids = tuple(self._vocabulary.unit_ids(text, units))
        rendered = render(spans, units, type_names=self.label_set.type_names, scheme=self._scheme)
        self.lost += lost_in(rendered, self.label_set.type_names)
        lines = copy_lines(self._scheme, len(self.label_set.types))
        return [
            line_example(
                SourceSentence(unit_ids, rendered.alignment.spans),
                moves,
                label_set=self.label_set.name,
                separator=separator,
                type_indices=line.type_indices,
                open_ids=self._open_ids,
                close_id=self._vocabulary.close_id,
            )
            for moves, separator, line in zip(rendered.moves, self._prompt.separators, lines, strict=True)
        ]


def line_example(
    source: SourceSentence,
    moves: Sequence[Move],
    *,
    label_set: str,
    separator: Sequence[int],
    type_indices: tuple[int, ...],
    open_ids: Sequence[int],
    close_id: int,
) -> TaggingExample:
    """One copy line: the sentence, the separator, and the copy that these moves write, with its choices."""
    unit_ids = source.unit_ids
    ids = [token for unit in unit_ids for token in unit]
    ids.extend(separator)
    copy_start = len(ids)
    choices: list[Choice] = []
    state = TagState()
    written = tokens_of_moves(moves, unit_ids, open_ids=open_ids, close_id=close_id)
    for move, tokens in zip(moves, written, strict=True):
        may_close, may_open = state.may_close(), state.may_open(len(unit_ids))
        if state.may_copy(len(unit_ids)) and (may_close or may_open):
            choices.append(Choice(len(ids) - 1, move, may_close, may_open))
        ids.extend(tokens)
        state = state.after(move)
    return TaggingExample(label_set, tuple(ids), tuple(choices), type_indices, copy_start, source)
