"""A label set in the tokens of a model: its prompt, and what each line of the copy may open."""

from dataclasses import dataclass

from bioner_core.decoding.rows import LabelSetTokens
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.loading import LoadedModel
from bioner_core.models.prompt import described_types, prompt_tokens
from bioner_core.models.tag_choice import asked_parts, chosen_tags, opening_bias
from bioner_core.tagging.scheme import copy_lines


@dataclass(frozen=True, slots=True)
class PreparedLabelSet:
    """A label set with its prompt in the model's tokens."""

    label_set: LabelSet
    tokens: LabelSetTokens
    separators: tuple[tuple[int, ...], ...]
    line_types: tuple[tuple[int, ...], ...]


def prepare_parts(label_set: LabelSet, loaded: LoadedModel) -> tuple[PreparedLabelSet, ...]:
    """Tokenise the prompt of each part that the model is asked for, all with the opening bias of the whole label set.

    Of a namesake of a trained label set one part may have types of the model's own alone, and is no namesake by itself.

    Raises:
        ModelError: as `prepare_label_set`.
    """
    bias = opening_bias(label_set, loaded.card)
    return tuple(prepare_label_set(part, loaded, open_bias=bias) for part in asked_parts(label_set, loaded.card))


def prepare_label_set(label_set: LabelSet, loaded: LoadedModel, *, open_bias: float | None = None) -> PreparedLabelSet:
    """Tokenise a label set's prompt. `open_bias` is that of the label set, if it is not given.

    Raises:
        ModelError: the model was not trained for one of its tags, or has too few free ones.
    """
    vocabulary, card = loaded.vocabulary, loaded.card
    lines, tags = copy_lines(card.scheme, len(label_set.types)), chosen_tags(label_set, card)
    types = described_types(label_set, tags, version=card.prompt_version)
    prompt = prompt_tokens(types, lines, vocabulary=vocabulary, scheme=card.scheme, version=card.prompt_version)
    tokens = LabelSetTokens(
        name=label_set.name,
        prefix=prompt.prefix,
        open_rows=tuple(map(vocabulary.tags.index, tags)),
        open_ids=tuple(map(vocabulary.open_id, tags)),
        close_id=vocabulary.close_id,
        open_bias=opening_bias(label_set, card) if open_bias is None else open_bias,
        definition_ends=prompt.definition_ends,
    )
    return PreparedLabelSet(label_set, tokens, prompt.separators, tuple(line.type_indices for line in lines))
