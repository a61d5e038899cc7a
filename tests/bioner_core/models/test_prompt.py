"""The prompt: every trained model depends on its exact tokens."""

import hashlib

import pytest

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.prompt import PROMPT_VERSION, PromptTokens, prompt_tokens
from bioner_core.tagging.scheme import TagScheme, copy_lines
from tests.bioner_core.tiny_model import TYPES, tiny_vocabulary

LABEL_SET = LabelSet(
    name="tiny",
    languages=("en", "zh"),
    default=False,
    description="",
    types=tuple(EntityType(one.upper(), one, f"{one} thing", "东西", f"all {one}s", "所有") for one in TYPES),
)
PINNED = {
    TagScheme.INLINE: "1b96f30060363833",
    TagScheme.LINES: "55f2b4d2e60eed9f",
}


def sample(scheme: TagScheme) -> PromptTokens:
    """The prompt of the label set above, in bytes and tags."""
    lines = copy_lines(scheme, len(TYPES))
    return prompt_tokens(LABEL_SET, lines, vocabulary=tiny_vocabulary(), scheme=scheme)


def shown(ids: tuple[int, ...]) -> str:
    """Token ids for people: a tag as its number in angle brackets."""
    return "".join(f"<{one - 256}>" if one > 255 else chr(one) for one in ids)


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_the_prompt_of_this_version_is_pinned(scheme: TagScheme) -> None:
    """Would catch a silent change of the prompt: change PROMPT_VERSION with it, then this digest."""
    prompt = sample(scheme)
    found = hashlib.sha256(repr((PROMPT_VERSION, prompt.prefix, prompt.separators)).encode()).hexdigest()
    assert found[:16] == PINNED[scheme]


def test_each_type_is_introduced_by_its_own_opening_tag() -> None:
    """Would catch a tag whose meaning the model is not told, or a type told under another's tag."""
    text = shown(sample(TagScheme.INLINE).prefix)
    for index, one in enumerate(TYPES):
        assert f"<{index}> {one} thing: all {one}s\n" in text
    assert text.endswith("\nText: ")


def test_inline_has_one_separator_and_lines_one_a_type() -> None:
    """Would catch a line that does not say which type it is for."""
    assert [shown(one) for one in sample(TagScheme.INLINE).separators] == ["\nMarked text: "]
    assert [shown(one) for one in sample(TagScheme.LINES).separators] == [f"\n{one} thing: " for one in TYPES]


def test_a_type_with_a_tag_that_the_model_does_not_know_is_refused() -> None:
    """Would catch a label set that is used with a model which never learned it."""
    stranger = LabelSet("x", (), False, "", (EntityType("a", "planet", "a", "a", "", ""),))
    with pytest.raises(ModelError, match="planet"):
        prompt_tokens(stranger, copy_lines(TagScheme.INLINE, 1), vocabulary=tiny_vocabulary(), scheme=TagScheme.INLINE)
