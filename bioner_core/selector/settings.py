"""Settings of selector training."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from bioner_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class SelectorSettings:
    """What the selector is trained and calibrated on.

    `sft_settings` is the file that the model was fine-tuned with: its batches are replayed to find the sentences that
    the model has never seen. `development` names the development file of each label set; a label set without one uses
    the held-out tail of its training file. Counts are sentences a label set.
    """

    sft_settings: str
    development: dict[str, str]
    rendered: int = 500
    decoded: int = 300
    calibration: int = 400
    epochs: int = 12
    batch_spans: int = 256
    batch_rows: int = 16
    learning_rate: float = 1e-3
    seed: int = 13
    threads: int = 0

    def __post_init__(self) -> None:
        for name in ("rendered", "calibration", "epochs", "batch_spans", "batch_rows", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a number above 0")


def read_selector_settings(path: Path) -> SelectorSettings:
    """Read a TOML file of selector settings.

    Raises:
        ConfigurationError: the file is missing or not TOML, or a field is unknown or of the wrong type.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return SelectorSettings(**given)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"selector settings {path}: {error}") from error
    except TypeError as error:
        known = sorted(field.name for field in fields(SelectorSettings))
        raise ConfigurationError(f"selector settings {path}: {error}; known fields: {known}") from error
