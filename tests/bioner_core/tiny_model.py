"""A small random model of a real architecture, and a tokenizer over bytes: exact in float32, quick on any machine."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel, PreTrainedTokenizerFast

from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary

TYPES = ("alpha", "beta", "gamma")


class ByteTokenizer:
    """One token per byte."""

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """UTF-8 bytes as ids."""
        assert not add_special_tokens
        return list(text.encode("utf-8"))


def tiny_vocabulary() -> TaggingVocabulary:
    """Three tags and two added characters over 256 byte ids."""
    return TaggingVocabulary(ByteTokenizer(), base_size=256, tags=TYPES, characters="病肺")


def tiny_config() -> LlamaConfig:
    """A Llama over byte ids."""
    return LlamaConfig(
        vocab_size=256,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.25,
        attn_implementation=GROUPED_ATTENTION,
    )


def tiny_model(seed: int = 0) -> TaggingModel:
    """Random weights, large move rows: it tags at random, and often."""
    torch.manual_seed(seed)
    vocabulary = tiny_vocabulary()
    model = TaggingModel(LlamaModel(tiny_config()), added_size=vocabulary.added_size, tag_count=len(TYPES))
    with torch.no_grad():
        model.added_rows.normal_(std=0.25)
        model.move_rows.normal_(std=0.4)
        model.move_bias.copy_(torch.tensor([1.5, 0.0, 0.0, 0.0, 0.0]))
    return model.float().eval()


def tiny_label_set(prefix: str = "Mark:") -> LabelSetTokens:
    """A label set of the three types."""
    vocabulary = tiny_vocabulary()
    return LabelSetTokens(
        name="tiny",
        prefix=tuple(vocabulary.plain_ids(prefix)),
        open_rows=(0, 1, 2),
        open_ids=tuple(vocabulary.open_id(one) for one in TYPES),
        close_id=vocabulary.close_id,
    )


def row_of(text: str, type_indices: tuple[int, ...] = (0, 1, 2)) -> DecodingRow:
    """A decoding row of a text."""
    vocabulary = tiny_vocabulary()
    return DecodingRow(tuple(vocabulary.unit_ids(text)), tuple(vocabulary.plain_ids("\n=")), type_indices)


def byte_level_tokenizer() -> PreTrainedTokenizerFast:
    """A real fast tokenizer with one token per byte and no merges."""
    symbols = bytes_to_unicode()
    vocabulary = {symbols[byte]: byte for byte in range(256)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = ByteLevelDecoder()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def bytes_to_unicode() -> list[str]:
    """The printable character that byte-level tokenizers write for each byte, by byte."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    by_byte = {byte: chr(byte) for byte in shown} | {byte: chr(256 + index) for index, byte in enumerate(hidden)}
    return [by_byte[byte] for byte in range(256)]


def save_tiny_base(folder: Path, seed: int = 0) -> Path:
    """Write a random Llama of a few thousand weights and its tokenizer as a base model folder."""
    torch.manual_seed(seed)
    LlamaForCausalLM(tiny_config()).save_pretrained(str(folder))
    byte_level_tokenizer().save_pretrained(str(folder))
    return folder
