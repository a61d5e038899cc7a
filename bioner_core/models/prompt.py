"""The prompt: instruction and type definitions first, then the sentence, then the copy to be tagged.

The first part is the same for every sentence of a label set, so its keys and values are computed once.
"""

from dataclasses import dataclass

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import CopyLine, TagScheme

PROMPT_VERSION = "1"
"""Changes whenever the tokens below change; part of the fingerprint."""

_INSTRUCTION = "Copy the text and mark every entity of these types:\n"
_SOURCE = "\nText: "
_COPY = "\nMarked text: "


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """The fixed token ids around a sentence: those before it, and those between it and each copy line."""

    prefix: tuple[int, ...]
    separators: tuple[tuple[int, ...], ...]


def prompt_tokens(
    label_set: LabelSet, lines: tuple[CopyLine, ...], *, vocabulary: TaggingVocabulary, scheme: TagScheme
) -> PromptTokens:
    """Build the prompt of a label set. Each type is introduced by its own opening tag, so the tag means the type."""
    prefix = vocabulary.plain_ids(_INSTRUCTION)
    for one in label_set.types:
        prefix.append(vocabulary.open_id(one.tag))
        prefix.extend(vocabulary.plain_ids(f" {one.en}: {one.definition_en}\n"))
    prefix.extend(vocabulary.plain_ids(_SOURCE))
    if scheme is TagScheme.INLINE:
        separators: tuple[tuple[int, ...], ...] = (tuple(vocabulary.plain_ids(_COPY)),)
    else:
        names = [label_set.types[line.type_indices[0]].en for line in lines]
        separators = tuple(tuple(vocabulary.plain_ids(f"\n{name}: ")) for name in names)
    return PromptTokens(tuple(prefix), separators)
