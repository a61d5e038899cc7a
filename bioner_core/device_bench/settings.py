"""What a bench of a device is asked to do, and how much of it a device of each kind does. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import ConfigurationError

RIGHT, FAST, TRAINS, ANNOTATE = "right", "fast", "trains", "annotate"

PARTS = (RIGHT, FAST, TRAINS, ANNOTATE)
"""The parts in the order in which they run."""

SHARES = {RIGHT: 0.2, FAST: 0.45, TRAINS: 0.2, ANNOTATE: 0.15}
"""Of the time that is left when a part begins, against those of the parts still to come."""

STAND_IN = "stand-in"
"""The name of the model that needs no files: random weights, a tokenizer that knows no language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBenchSettings:
    """`data` is a gold corpus for sentences of one's own, None takes those that come with the bench.

    `device` None takes the GPU where there is one. `model` is a name or a folder; `stand-in` needs no files, and stands
    in too for a model whose base is not at hand. None is the default model on a GPU, the stand-in on a CPU.

    Raises:
        ConfigurationError: the minutes are not above 0, or a part is unknown.
    """

    minutes: float
    output: Path
    parts: tuple[str, ...] = PARTS
    model: str | None = None
    data: Path | None = None
    label_set: str = "genia"
    device: str | None = None

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise ConfigurationError(f"--minutes: {self.minutes:g}; give a number above 0")
        unknown = sorted(set(self.parts) - set(PARTS))
        if unknown or not self.parts:
            raise ConfigurationError(f"--part: {', '.join(unknown) or 'none'}; choose from {', '.join(PARTS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much each step does. `decode` and `large` have the sentences for each batch size of the decode bench.

    `shape` names the shape of the large model, "tiny" where there is no room for one.
    """

    sentences: int
    cpu_sentences: int
    decode: tuple[tuple[int, int], ...]
    windows: tuple[int, ...]
    window_batch: int
    annotated: int
    shape: str
    large: tuple[tuple[int, int], ...]
    attention_batch: int
    train_tokens: tuple[int, ...]
    train_steps: int
    large_train_tokens: tuple[int, ...]


GPU_SIZES = Sizes(
    sentences=256,
    cpu_sentences=8,
    decode=((1, 8), (8, 64), (32, 128), (128, 512), (512, 1024)),
    windows=(32, 64, 128, 256, 512),
    window_batch=128,
    annotated=4096,
    shape="7b",
    large=((128, 256), (256, 512), (512, 512), (32, 64), (8, 8), (1, 2)),
    attention_batch=128,
    train_tokens=(16_384, 65_536),
    train_steps=8,
    large_train_tokens=(4_096, 16_384),
)

CPU_SIZES = Sizes(
    sentences=4,
    cpu_sentences=2,
    decode=((1, 2), (4, 4)),
    windows=(4, 16),
    window_batch=2,
    annotated=6,
    shape="tiny",
    large=((2, 2), (1, 1)),
    attention_batch=2,
    train_tokens=(400,),
    train_steps=2,
    large_train_tokens=(400,),
)
