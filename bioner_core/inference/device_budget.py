"""The batch limits of a loaded model on its device, found when it is loaded.

On a CPU a formula is enough: torch allocates what its tensors need, no more and nothing ahead, and what a batch gains
by more rows ends at a size that hardly depends on the machine (`DEFAULT_TOKEN_BUDGET`), while a trial batch of that
size would take longer than the rest of the start. On a GPU the allocator's blocks and the libraries' workspaces come on
top, and a trial takes a moment: there one batch of each costliest shape is tried, and halved until it fits.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from bioner_core.decoding.drafted import CPU_WINDOW, GPU_WINDOW
from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.batching import DEFAULT_TOKEN_BUDGET, BatchLimits
from bioner_core.inference.budget import Footprint, MemoryLimit, batch_bytes, limits_for
from bioner_core.inference.context import LONGEST_PIECE
from bioner_core.inference.host_memory import available_memory
from bioner_core.inference.row_isolation import free_memory
from bioner_core.models.loading import LoadedModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.text.units import estimate_tokens

_TEXTS = (
    "can't allocate memory",  # torch's allocator on a CPU
    "bad_alloc",  # C++ code below it
    "could not create a memory object",  # oneDNN
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDA error: out of memory",  # a library below torch's allocator
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the device, a GPU or the machine itself, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS)


GPU_TOKEN_BUDGET = 16_384
"""On a GPU more than this brings little, and a client's buffer would no longer make a batch for each actor."""

HOST_SHARE = 0.5
"""Of the memory that is free on a machine: what else runs there grows too."""

GPU_SHARE = 0.85
"""Of the memory that is free on a GPU: the allocator's blocks do not fit each other without gaps."""

_SAMPLES = (
    "Interleukin-2 (IL-2) gene expression in 35 human T lymphocytes requires NF-kappaB activation.",
    "患者出现发热、咳嗽3天，胸部CT提示双肺多发感染，给予头孢曲松治疗后症状缓解。",
)
_WORD = "gene "
"""One estimated token of a trial batch."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def find_limits(
    loaded: LoadedModel,
    limit: MemoryLimit,
    *,
    prompts: Sequence[int],
    lines: int,
    trial: Callable[[Sequence[str]], object],
) -> BatchLimits:
    """The largest batches that fit, for a model whose prompts have so many tokens and whose sentences so many copies.

    `trial` annotates texts; it is called on a GPU only.

    Raises:
        ConfigurationError: not even one long sentence fits into the cap that was asked for.
    """
    on_gpu = loaded.device.type == "cuda"
    footprint = footprint_of(loaded, prompt=max(prompts, default=0), lines=lines)
    memory = batch_memory(loaded.device, limit)
    longest = math.ceil(LONGEST_PIECE / footprint.tokens_per_estimate)
    needed = batch_bytes(footprint, rows=1, longest=longest)
    if limit.cap is not None and limit.cap < needed:
        raise ConfigurationError(
            f"memory cap: {limit.cap / 1e9:g} GB, but one sentence of {longest} tokens may need {needed / 1e9:.2f} GB "
            "beside the model: raise it"
        )
    most = GPU_TOKEN_BUDGET if on_gpu else DEFAULT_TOKEN_BUDGET
    limits = limits_for(footprint, memory, longest=longest, most_tokens=most)
    return tried_limits(limits, trial, longest=longest) if on_gpu else limits


def footprint_of(loaded: LoadedModel, *, prompt: int, lines: int) -> Footprint:
    """What a row of this model takes, from the sizes in its configuration."""
    config: Any = loaded.network.backbone.config
    heads = config.num_attention_heads
    return Footprint(
        layers=config.num_hidden_layers,
        heads=heads,
        key_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // heads,
        hidden=config.hidden_size,
        feed_forward=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        number_bytes=loaded.network.added_rows.element_size(),
        prompt=prompt,
        lines=lines,
        window=GPU_WINDOW if loaded.device.type == "cuda" else CPU_WINDOW,
        tokens_per_estimate=tokens_per_estimate(loaded.vocabulary),
    )


def tokens_per_estimate(vocabulary: TaggingVocabulary) -> float:
    """Tokens that the model takes for one of `estimate_tokens`, in the language for which it takes more."""
    return max(vocabulary.count_tokens(text) / estimate_tokens(text) for text in _SAMPLES)


def batch_memory(device: torch.device, limit: MemoryLimit) -> float:
    """Bytes that batches may take on the device, at this moment."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        taken = torch.cuda.memory_allocated(device)
        kept_for_reuse = torch.cuda.memory_reserved(device) - taken
        found = min(GPU_SHARE * (free + kept_for_reuse), GPU_SHARE * limit.share * total - taken)
    else:
        found = HOST_SHARE * limit.share * available_memory()
    return found if limit.cap is None else min(found, limit.cap)


def tried_limits(limits: BatchLimits, trial: Callable[[Sequence[str]], object], *, longest: int) -> BatchLimits:
    """Try the two costliest batches of these limits, and halve them until both fit or a batch is one row."""
    while limits.max_rows > 1:
        try:
            for texts in costliest_batches(limits, longest=longest):
                trial(texts)
        except AnnotatorOutOfMemoryError:
            free_memory()
            limits = BatchLimits.of_budget(limits.token_budget // 2)
        else:
            break
    return limits


def costliest_batches(limits: BatchLimits, *, longest: int) -> tuple[list[str], list[str]]:
    """As many rows as are allowed, and the fewest of the longest sentences, in estimated tokens.

    No two texts are equal: equal ones are read once for all (`PromptCaches.begin`), and would cost a fraction.
    """
    many = _different_texts(limits.max_rows, tokens=limits.token_budget // limits.max_rows)
    return many, _different_texts(max(1, limits.token_budget // longest), tokens=longest)


def _different_texts(count: int, *, tokens: int) -> list[str]:
    """Texts of so many estimated tokens, told apart by their last four letters, which are one more of them."""
    names = itertools.islice(itertools.product(_LETTERS, repeat=4), count)
    return [f"{_WORD * (tokens - 1)}{''.join(name)}" for name in names]


def trial_of(
    annotate: Callable[[Sequence[AnnotationRequest]], object], label_set: str
) -> Callable[[Sequence[str]], object]:
    """A trial that annotates texts with one label set."""
    return lambda texts: annotate([AnnotationRequest(text, label_set) for text in texts])
