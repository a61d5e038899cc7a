"""What goes into a decoder and what comes out: one row is one copy line of one sentence."""

from dataclasses import dataclass

from torch import Tensor

from bioner_core.tagging.moves import Move, TagPair


@dataclass(frozen=True, slots=True)
class DecodingRow:
    """One copy to be made: the token ids of each unit, those between the sentence and its copy, and the types.

    `type_indices` are the label set's types that this copy may open.
    """

    unit_ids: tuple[tuple[int, ...], ...]
    separator: tuple[int, ...]
    type_indices: tuple[int, ...]

    @property
    def source_ids(self) -> list[int]:
        """The sentence's token ids."""
        return [token for unit in self.unit_ids for token in unit]


@dataclass(frozen=True, slots=True)
class LabelSetTokens:
    """What all rows of a label set share.

    `prefix` are the prompt's first token ids, `definition_ends` the place in it of the last token of each type's
    definition (none where the model does not read definitions); `open_rows` and `open_ids` are the tag index and token
    id of each type; `open_bias` is added to the logit of every opening move: above 0 it finds more, below it less.
    """

    name: str
    prefix: tuple[int, ...]
    open_rows: tuple[int, ...]
    open_ids: tuple[int, ...]
    close_id: int
    open_bias: float = 0.0
    definition_ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DecodedRow:
    """One finished copy.

    *Shape:* margins (moves,), float32: each move's logit minus that of its best legal rival, infinite where it had
    none; states (moves + 1, hidden): the hidden state from which each move was decided, then the last one.
    """

    moves: tuple[Move, ...]
    margins: Tensor
    states: Tensor


def tag_score(row: DecodedRow, pair: TagPair) -> float:
    """Mean log-margin of the opening and the closing decision; a decision without a rival does not count."""
    margins = [float(row.margins[index]) for index in (pair.open_index, pair.close_index)]
    finite = [margin for margin in margins if margin != float("inf")]
    return sum(finite) / len(finite)
