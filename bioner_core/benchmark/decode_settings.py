"""What a bench of decoding is asked to do."""

from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.models.directory import DEFAULT_MODEL
from bioner_core.models.precision import AUTO

SKIPPABLE = ("floor_with_prompt", "selector", "reference", "generate", "encoders")
"""What a bench can do without; the floor and the drafted decoder are the bench."""

BATCHES = (1, 8, 32)
GPU_BATCHES = (*BATCHES, 128)

MODEL_MOVES = "model"
GOLD_MOVES = "gold"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeBenchSettings:
    """`batches` are sizes in sentences, none means the usual ones; `generate_sentences` are about how many of the
    sentences `generate` is timed on; `random_config` names a shape or a config.json; `threads` None leaves it to torch.
    `moves` are whose tags are written: the loaded model's, or the gold's.

    Raises:
        ConfigurationError: a number is below 1, `skip` names what cannot be skipped, or `moves` is neither.
    """

    data: Path
    label_set: str
    sentences: int = 256
    batches: tuple[int, ...] = ()
    model: str = DEFAULT_MODEL
    precision: str = AUTO
    threads: int | None = None
    repeats: int = 1
    skip: tuple[str, ...] = ()
    generate_sentences: int = 32
    random_config: str | None = None
    moves: str = MODEL_MOVES

    def __post_init__(self) -> None:
        numbers = {
            "sentences": self.sentences,
            "repeats": self.repeats,
            "generate-sentences": self.generate_sentences,
            "threads": 1 if self.threads is None else self.threads,
        }
        for name, value in [*numbers.items(), *(("batch", one) for one in self.batches)]:
            if value < 1:
                raise ConfigurationError(f"--{name}: {value}; give 1 or more")
        unknown = sorted(set(self.skip) - set(SKIPPABLE))
        if unknown:
            raise ConfigurationError(f"--skip: {', '.join(unknown)}; choose from {', '.join(SKIPPABLE)}")
        if self.moves not in (MODEL_MOVES, GOLD_MOVES):
            raise ConfigurationError(f"--moves: {self.moves!r}; choose {MODEL_MOVES} or {GOLD_MOVES}")
