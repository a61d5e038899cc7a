"""Every supported architecture, as we run it, sees plain text as its own forward pass does."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModel,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    Glm4Config,
    GlmConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

from bioner_core.decoding.cache import RaggedCache
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.tagging_model import TaggingModel, embedding_scale

WINDOW = 6
VOCABULARY = 96
ARCHITECTURES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "gemma": (GemmaConfig, {}),
    "gemma2": (Gemma2Config, {"sliding_window": WINDOW, "query_pre_attn_scalar": 16}),
    "gemma3": (Gemma3TextConfig, {"sliding_window": WINDOW, "query_pre_attn_scalar": 16}),
    "glm": (GlmConfig, {}),
    "glm4": (Glm4Config, {}),
    "granite": (GraniteConfig, {"embedding_multiplier": 7.0, "attention_multiplier": 0.3}),
    "llama": (LlamaConfig, {}),
    "mistral": (MistralConfig, {"sliding_window": WINDOW}),
    "phi3": (Phi3Config, {"head_dim": 16}),
    "qwen2": (Qwen2Config, {}),
    "qwen3": (Qwen3Config, {"head_dim": 16}),
    "smollm3": (SmolLM3Config, {}),
}


def base_of(name: str, *, attention: str) -> Any:
    """A random model of an architecture, the same each time."""
    kind, own = ARCHITECTURES[name]
    sizes = {"vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
    if name.startswith(("gemma", "glm")):
        heads["head_dim"] = 16
    torch.manual_seed(11)
    config = kind(**sizes, **heads, **own, initializer_range=0.15, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    return AutoModel.from_config(config, attn_implementation=attention).eval()


def tagging_model(name: str) -> TaggingModel:
    """The same model as we run it, with three added rows."""
    model = TaggingModel(base_of(name, attention=GROUPED_ATTENTION), added_size=3, tag_count=1).eval()
    torch.nn.init.normal_(model.added_rows)
    return model


@pytest.mark.parametrize("name", list(ARCHITECTURES))
@settings(max_examples=8, deadline=None)
@given(texts=st.lists(st.lists(st.integers(3, VOCABULARY - 1), min_size=1, max_size=20), min_size=1, max_size=3))
def test_plain_tokens_have_the_states_that_the_base_gives_them(name: str, texts: list[list[int]]) -> None:
    """Would catch an embedding scale that is lost (Gemma learns nothing then), a window or a cap of scores ignored."""
    base, model = base_of(name, attention="eager"), tagging_model(name)
    cache = RaggedCache(model, len(texts))
    with torch.inference_mode():
        first = cache.feed([text[:1] for text in texts])
        rest = torch.split(cache.feed([text[1:] or [3] for text in texts]), [max(len(text) - 1, 1) for text in texts])
        for row, text in enumerate(texts):
            ids = torch.tensor([text])
            expected = base(input_ids=ids).last_hidden_state[0]
            ours = torch.cat((first[row : row + 1], rest[row]))[: len(text)]
            torch.testing.assert_close(ours, expected, atol=2e-4, rtol=2e-3)
            positions = torch.arange(len(text)).unsqueeze(0)
            plain = model(ids, attention_mask=torch.ones_like(ids), position_ids=positions, cache=None)[0]
            torch.testing.assert_close(plain, expected, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_an_added_row_is_scaled_like_the_base_s_own(name: str) -> None:
    """Would catch tags that are so much quieter, or louder, than words that nothing learns from them."""
    model = tagging_model(name)
    base = model.backbone.get_input_embeddings()  # type: ignore[operator]
    with torch.no_grad():
        model.added_rows[1] = base.weight[5]
    ids = torch.tensor([[5, VOCABULARY + 1]])
    word, tag = model.embed(ids)[0]
    torch.testing.assert_close(tag, word)
    torch.testing.assert_close(word, base(torch.tensor(5)))
    assert float(embedding_scale(base)) == pytest.approx(8.0 if name == "gemma3" else float(embedding_scale(base)))
