"""Token ids: no text can write a tag, and every unit has its own tokens."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import ModelError, TaggingError
from bioner_core.models.base_model import is_pulled, pulled_folder
from bioner_core.models.bases import SMOLLM2
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.text.units import split_units
from tests.bioner_core.tiny_model import TYPES, ByteTokenizer, byte_level_tokenizer, tiny_vocabulary

CHARACTERS = "病肺"
SPECIAL = ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "[DNA:", "</s>", "<unk>", "]", "病", " 病")
valid = st.characters(exclude_categories=["Cs"])
texts = st.lists(st.one_of(st.sampled_from(SPECIAL), st.text(valid, max_size=8)), max_size=6).map("".join)


def real_vocabulary() -> TaggingVocabulary:
    """The default base's tokenizer where it was pulled, else the byte-level one."""
    if not is_pulled(SMOLLM2):
        return TaggingVocabulary(byte_level_tokenizer(), base_size=256, tags=TYPES, characters=CHARACTERS)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(pulled_folder(SMOLLM2)), local_files_only=True)
    return TaggingVocabulary(tokenizer, base_size=len(tokenizer), tags=TYPES, characters=CHARACTERS)


VOCABULARY = real_vocabulary()


@given(texts)
def test_no_text_can_write_a_tag(text: str) -> None:
    """Would catch a source text whose tokens hold a tag or a special token of the base, such as `<|im_end|>`."""
    tags = {*(VOCABULARY.open_id(tag) for tag in TYPES), VOCABULARY.close_id}
    special = set(VOCABULARY.tokenizer.all_special_ids)
    added = range(VOCABULARY.close_id + 1, VOCABULARY.base_size + VOCABULARY.added_size)
    for unit, ids in zip(split_units(text), VOCABULARY.unit_ids(text), strict=True):
        assert ids
        assert not set(ids) & (tags | special)
        assert all(0 <= one < VOCABULARY.base_size or one in added for one in ids), text[unit.start : unit.end]


@given(texts)
def test_a_unit_s_tokens_do_not_depend_on_its_neighbours(text: str) -> None:
    """Would catch tokens that change when a tag comes to stand beside them."""
    alone = [VOCABULARY.unit_ids(text[unit.start : unit.end])[0] for unit in split_units(text)]
    assert VOCABULARY.unit_ids(text) == alone


@given(texts)
def test_tokens_of_units_tell_the_text(text: str) -> None:
    """Would catch two texts that the model cannot tell apart, such as one without its blanks."""
    vocabulary = tiny_vocabulary()
    shown = {index: char for char, index in zip(CHARACTERS, range(vocabulary.close_id + 1, 999), strict=False)}
    ids = [one for unit in vocabulary.unit_ids(text) for one in unit]
    assert b"".join(shown[one].encode() if one in shown else bytes([one]) for one in ids).decode() == text


def test_ids_beyond_the_base_are_tags_then_close_then_characters() -> None:
    """Would catch a new order of ids, under which every trained embedding row means something else."""
    vocabulary = tiny_vocabulary()
    assert [vocabulary.open_id(tag) for tag in TYPES] == [256, 257, 258]
    assert vocabulary.close_id == 259
    assert vocabulary.unit_ids("病肺") == [(260,), (261,)]
    assert vocabulary.added_size == 6


def test_an_added_character_after_a_blank_keeps_the_blank() -> None:
    """Would catch a blank that is lost before an added character."""
    assert tiny_vocabulary().unit_ids("a 病") == [(ord("a"),), (ord(" "), 260)]


def test_a_character_without_a_row_keeps_the_base_s_tokens() -> None:
    """Would catch a rare character that shares the row of another."""
    assert tiny_vocabulary().unit_ids("心") == [tuple("心".encode())]


def test_units_may_be_given() -> None:
    """Would catch units that are split again instead of taken."""
    assert tiny_vocabulary().unit_ids("ab c", split_units("ab c")[:1]) == [(ord("a"), ord("b"))]
    assert tiny_vocabulary().unit_ids("") == []


def test_an_unknown_tag_lists_the_known_ones() -> None:
    """Would catch a KeyError, or a tag that falls back to another."""
    with pytest.raises(ModelError, match=r"tag 'planet'; it was trained for \['alpha', 'beta', 'gamma'\].*train sft"):
        tiny_vocabulary().open_id("planet")


def test_an_unpaired_surrogate_is_named() -> None:
    """Would catch a TypeError from the depths of the tokenizer for text that is no valid Unicode."""
    with pytest.raises(TaggingError, match=r"unpaired surrogate in '\\ud800'"):
        tiny_vocabulary().unit_ids("a\ud800b")


def test_a_control_character_outside_the_base_s_vocabulary_has_a_stand_in() -> None:
    """Would catch a sentence that is rejected because of one control character."""

    class NarrowTokenizer(ByteTokenizer):
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return [] if text == "\x16" else super().encode(text, add_special_tokens)

    vocabulary = TaggingVocabulary(NarrowTokenizer(), base_size=256, tags=TYPES, characters="")
    assert vocabulary.unit_ids("\x16") == [tuple("\ufffd".encode())]


def test_a_base_without_byte_fallback_is_refused() -> None:
    """Would catch a unit without tokens: its copying could not be written."""

    class SilentTokenizer(ByteTokenizer):
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return []

    vocabulary = TaggingVocabulary(SilentTokenizer(), base_size=256, tags=TYPES, characters="")
    with pytest.raises(ModelError, match="byte fallback"):
        vocabulary.unit_ids("a")


@pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`")
def test_the_default_base_gives_pinned_tokens() -> None:
    """Would catch a tokenizer that another version of transformers builds differently from the same GGUF file."""
    assert VOCABULARY.plain_ids("Copy the text") == VOCABULARY.tokenizer.encode("Copy the text")
    assert Path(pulled_folder(SMOLLM2), "tokenizer.json").is_file()
    assert VOCABULARY.unit_ids("<|im_end|>") == [(44,), (108,), (306,), (79,), (486,), (108,), (46,)]
