"""A label set in the tokens of a model: its prompt, and what each line of the copy may open."""

from dataclasses import dataclass

from bioner_core.decoding.rows import LabelSetTokens
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.loading import LoadedModel
from bioner_core.models.prompt import prompt_tokens
from bioner_core.tagging.scheme import copy_lines


@dataclass(frozen=True, slots=True)
class PreparedLabelSet:
    """A label set with its prompt in the model's tokens."""

    label_set: LabelSet
    tokens: LabelSetTokens
    separators: tuple[tuple[int, ...], ...]
    line_types: tuple[tuple[int, ...], ...]


def prepare_label_set(label_set: LabelSet, loaded: LoadedModel) -> PreparedLabelSet:
    """Tokenise a label set's prompt.

    Raises:
        ModelError: the model was not trained for one of its tags.
    """
    vocabulary, scheme = loaded.vocabulary, loaded.card.scheme
    lines = copy_lines(scheme, len(label_set.types))
    prompt = prompt_tokens(label_set, lines, vocabulary=vocabulary, scheme=scheme)
    tokens = LabelSetTokens(
        name=label_set.name,
        prefix=prompt.prefix,
        open_rows=tuple(vocabulary.tags.index(one.tag) for one in label_set.types),
        open_ids=tuple(vocabulary.open_id(one.tag) for one in label_set.types),
        close_id=vocabulary.close_id,
        open_bias=loaded.card.open_bias.get(label_set.name, 0.0),
    )
    return PreparedLabelSet(label_set, tokens, prompt.separators, tuple(line.type_indices for line in lines))
