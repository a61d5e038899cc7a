"""How sure a decoder was of one pair of tags."""

from bioner_core.decoding.rows import DecodedRow
from bioner_core.tagging.moves import TagPair


def tag_score(row: DecodedRow, pair: TagPair) -> float:
    """Mean log-margin of the opening and the closing decision; a decision without a rival does not count."""
    margins = [float(row.margins[index]) for index in (pair.open_index, pair.close_index)]
    finite = [margin for margin in margins if margin != float("inf")]
    return sum(finite) / len(finite)
