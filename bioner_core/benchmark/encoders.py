"""Encoders as a yardstick: what the usual taggers cost on the same sentences. Random weights; only the time counts."""

from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import BertConfig, BertForTokenClassification, DebertaV2Config, DebertaV2Model

from bioner_core.benchmark.sentences import SentenceBatch
from bioner_core.models.int8 import swap_linear_layers

LABEL_TOKENS = 30
"""What GLiNER puts before each text for five types or so."""

_SPECIAL_TOKENS = 2
_FIRST_PLAIN_ID = 1000


class EncoderContender:
    """One pass of an encoder over each batch, padded as usual.

    The sentences' tokens are counted by our own tokenizer: an encoder's own would give about as many.
    """

    def __init__(self, name: str, model: Any, *, tokens_in_front: int) -> None:
        self.name = name
        self._model = model
        self._more = _SPECIAL_TOKENS + tokens_in_front

    def takes(self, batch: SentenceBatch) -> bool:
        """Batches within the positions that the encoder has."""
        longest = max(one.length for one in batch.sentences)
        return bool(longest + self._more <= self._model.config.max_position_embeddings)

    @torch.inference_mode()
    def run(self, batch: SentenceBatch) -> None:
        """Encode the batch."""
        rows = [torch.full((one.length + self._more,), _FIRST_PLAIN_ID) for one in batch.sentences]
        ids = pad_sequence(rows, batch_first=True).to(self._model.device)
        self._model(input_ids=ids, attention_mask=(ids > 0).long())


def gliner_encoder(device: torch.device, dtype: torch.dtype, *, eight_bits: bool = False) -> EncoderContender:
    """The encoder of a GLiNER-base: DeBERTa-v3-base with label tokens before the text; its span layers left out.

    With `eight_bits` its linear layers compute as those of `--precision int8` do: rivals quantise as well.
    """
    config = DebertaV2Config(
        vocab_size=128_100,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
    )
    model = DebertaV2Model(config).to(device=device, dtype=dtype).eval()
    if eight_bits:
        swap_linear_layers(model)
    name = "gliner_encoder_int8" if eight_bits else "gliner_encoder"
    return EncoderContender(name, model, tokens_in_front=LABEL_TOKENS)


def bert_tagger(device: torch.device, dtype: torch.dtype, *, types: int) -> EncoderContender:
    """A BERT-base with a flat tag per token."""
    config = BertConfig(num_labels=2 * types + 1)
    model = BertForTokenClassification(config).to(device=device, dtype=dtype).eval()
    return EncoderContender("bert_tagger", model, tokens_in_front=0)
