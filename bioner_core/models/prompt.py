"""The prompt: instruction and type definitions first, then the sentence, then the copy to be tagged.

The first part is the same for every sentence of a label set, so its keys and values are computed once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import CopyLine, TagScheme

PROMPT_VERSION = "2"
"""What training writes. Changes whenever the tokens below change; part of the fingerprint."""

FIRST_PROMPT_VERSION = "1"
"""Models of this version are still read: no token at the beginning of the text, definitions in English for every text,
and opening moves that are scored by a row of their tag alone."""

READABLE_PROMPTS = (FIRST_PROMPT_VERSION, PROMPT_VERSION)

_INSTRUCTION = "Copy the text and mark every entity of these types:\n"
_SOURCE = "\nText: "
_COPY = "\nMarked text: "


@dataclass(frozen=True, slots=True)
class PromptType:
    """A type as a prompt presents it: the tag that marks it, its name (may be empty), and its definition."""

    tag: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """The fixed token ids around a sentence: those before it, and those between it and each copy line.

    `definition_ends` are the places in `prefix` of the last token of each type's definition; none in version 1.
    """

    prefix: tuple[int, ...]
    separators: tuple[tuple[int, ...], ...]
    definition_ends: tuple[int, ...] = ()


def described_types(label_set: LabelSet, tags: Sequence[str], *, version: str) -> tuple[PromptType, ...]:
    """The types of a label set under these tags, as the prompt of a version presents them unless told otherwise.

    Label sets for Chinese alone are presented in Chinese; in version 1 everything is in English.
    """
    chinese = version != FIRST_PROMPT_VERSION and label_set.languages == ("zh",)
    return tuple(
        PromptType(tag, one.zh if chinese else one.en, one.definition_zh if chinese else one.definition_en)
        for tag, one in zip(tags, label_set.types, strict=True)
    )


def prompt_tokens(
    types: Sequence[PromptType],
    lines: Sequence[CopyLine],
    *,
    vocabulary: TaggingVocabulary,
    scheme: TagScheme,
    version: str = PROMPT_VERSION,
) -> PromptTokens:
    """Build a prompt. Each type is introduced by its own opening tag, so the tag means the type.

    From version 2 on it begins as the base's tokenizer begins a text: without that token Gemma predicts text two and a
    half times worse. The last token of a definition is a line end of its own, so that its state has read all of it.
    """
    plain = vocabulary.plain_ids
    separators = _separators(types, lines, vocabulary, scheme)
    if version == FIRST_PROMPT_VERSION:
        prefix = plain(_INSTRUCTION)
        for one in types:
            prefix += [vocabulary.open_id(one.tag), *plain(f" {one.name}: {one.definition}\n")]
        return PromptTokens((*prefix, *plain(_SOURCE)), separators)
    prefix, ends = [*vocabulary.begin_ids, *plain(_INSTRUCTION)], []
    for one in types:
        described = f" {one.name}: {one.definition}" if one.name else f" {one.definition}"
        prefix += [vocabulary.open_id(one.tag), *plain(described), *plain("\n")]
        ends.append(len(prefix) - 1)
    return PromptTokens((*prefix, *plain(_SOURCE)), separators, tuple(ends))


def _separators(
    types: Sequence[PromptType], lines: Sequence[CopyLine], vocabulary: TaggingVocabulary, scheme: TagScheme
) -> tuple[tuple[int, ...], ...]:
    if scheme is TagScheme.INLINE:
        return (tuple(vocabulary.plain_ids(_COPY)),)
    names = [types[line.type_indices[0]].name for line in lines]
    return tuple(tuple(vocabulary.plain_ids(f"\n{name}: ")) for name in names)
