"""The prompt: every trained model depends on its exact tokens."""

import hashlib
from dataclasses import replace

import pytest

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.prompt import (
    FIRST_PROMPT_VERSION,
    PROMPT_VERSION,
    PromptTokens,
    PromptType,
    described_types,
    prompt_tokens,
)
from bioner_core.tagging.scheme import TagScheme, copy_lines
from tests.bioner_core.tiny_model import TYPES, ByteTokenizer, tiny_vocabulary

LABEL_SET = LabelSet(
    name="tiny",
    languages=("en", "zh"),
    default=False,
    description="",
    types=tuple(EntityType(one.upper(), one, f"{one} thing", "东西", f"all {one}s", "所有") for one in TYPES),
)
PINNED = {
    ("1", TagScheme.INLINE): "1b96f30060363833",
    ("1", TagScheme.LINES): "55f2b4d2e60eed9f",
    ("2", TagScheme.INLINE): "671c3341145ed54f",
    ("2", TagScheme.LINES): "5f2504522faaf9ec",
}


class BeginningTokenizer(ByteTokenizer):
    """One token per byte, after one that begins every text."""

    bos_token_id = 7

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """UTF-8 bytes as ids, behind the beginning where special tokens are asked for."""
        return [7] * add_special_tokens + list(text.encode("utf-8"))


def sample(scheme: TagScheme, version: str = PROMPT_VERSION, label_set: LabelSet = LABEL_SET) -> PromptTokens:
    """The prompt of the label set above, in bytes and tags."""
    types = described_types(label_set, TYPES, version=version)
    return prompt_tokens(
        types, copy_lines(scheme, len(TYPES)), vocabulary=tiny_vocabulary(), scheme=scheme, version=version
    )


def shown(ids: tuple[int, ...]) -> str:
    """Token ids for people: a tag as its number in angle brackets."""
    return b"".join(f"<{one - 256}>".encode() if one > 255 else bytes([one]) for one in ids).decode()


@pytest.mark.parametrize(("version", "scheme"), list(PINNED))
def test_the_prompt_of_each_version_is_pinned(version: str, scheme: TagScheme) -> None:
    """Would catch a silent change of a prompt that models were trained with: make a new version, then its digest."""
    prompt = sample(scheme, version)
    found = hashlib.sha256(repr((version, prompt.prefix, prompt.separators)).encode()).hexdigest()
    assert found[:16] == PINNED[version, scheme]


def test_each_type_is_introduced_by_its_own_opening_tag() -> None:
    """Would catch a tag whose meaning the model is not told, or a type told under another's tag."""
    text = shown(sample(TagScheme.INLINE).prefix)
    for index, one in enumerate(TYPES):
        assert f"<{index}> {one} thing: all {one}s\n" in text
    assert text.endswith("\nText: ")


def test_a_definition_ends_where_all_of_it_was_read() -> None:
    """Would catch a state that stands for a definition and has not seen its end, or has seen the next."""
    prompt = sample(TagScheme.INLINE)
    ends = [shown(prompt.prefix[: end + 1]).rpartition("<")[2] for end in prompt.definition_ends]
    assert ends == [f"{index}> {one} thing: all {one}s\n" for index, one in enumerate(TYPES)]
    assert sample(TagScheme.INLINE, FIRST_PROMPT_VERSION).definition_ends == ()


def test_a_label_set_for_chinese_alone_is_presented_in_chinese() -> None:
    """Would catch English definitions before Chinese text, and a first version that is no longer what it was."""
    chinese = replace(LABEL_SET, languages=("zh",))
    assert "东西: 所有\n" in shown(sample(TagScheme.INLINE, label_set=chinese).prefix)
    first = sample(TagScheme.INLINE, FIRST_PROMPT_VERSION)
    assert sample(TagScheme.INLINE, FIRST_PROMPT_VERSION, chinese).prefix == first.prefix


def test_a_type_without_a_name_is_its_definition() -> None:
    """Would catch a colon after nothing."""
    types = [PromptType("alpha", "", "all alphas")]
    lines = copy_lines(TagScheme.INLINE, 1)
    prompt = prompt_tokens(types, lines, vocabulary=tiny_vocabulary(), scheme=TagScheme.INLINE)
    assert "<0> all alphas\n" in shown(prompt.prefix)


def test_a_base_s_own_token_begins_the_text() -> None:
    """Would catch a prompt without the token that every text began with when the base was trained."""
    vocabulary = tiny_vocabulary()
    assert vocabulary.begin_ids == ()
    vocabulary.tokenizer = BeginningTokenizer()
    lines = copy_lines(TagScheme.INLINE, 1)
    types = [PromptType("alpha", "a", "b")]
    for version, expected in ((PROMPT_VERSION, 7), (FIRST_PROMPT_VERSION, ord("C"))):
        prompt = prompt_tokens(types, lines, vocabulary=vocabulary, scheme=TagScheme.INLINE, version=version)
        assert prompt.prefix[0] == expected


def test_inline_has_one_separator_and_lines_one_per_type() -> None:
    """Would catch a line that does not say which type it is for."""
    assert [shown(one) for one in sample(TagScheme.INLINE).separators] == ["\nMarked text: "]
    assert [shown(one) for one in sample(TagScheme.LINES).separators] == [f"\n{one} thing: " for one in TYPES]


def test_a_type_with_a_tag_that_the_model_does_not_know_is_refused() -> None:
    """Would catch a label set that is used with a model which never learned it."""
    types = [PromptType("planet", "a", "a")]
    with pytest.raises(ModelError, match="planet"):
        prompt_tokens(types, copy_lines(TagScheme.INLINE, 1), vocabulary=tiny_vocabulary(), scheme=TagScheme.INLINE)
