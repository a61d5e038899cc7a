"""How long a batch may take: a time that grows with its tokens."""

from dataclasses import dataclass

from bioner_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """A batch may run `base_seconds + tokens * seconds_per_token`; tokens are those of `Batch.tokens`.

    Generous on purpose: it tells a hung actor from a slow one, and is no aim for speed.

    Raises:
        ConfigurationError: a time is not positive.
    """

    base_seconds: float = 120.0
    seconds_per_token: float = 0.2

    def __post_init__(self) -> None:
        if self.base_seconds <= 0 or self.seconds_per_token < 0:
            raise ConfigurationError(
                "the deadline needs base_seconds above 0 and seconds_per_token of at least 0, not "
                f"{self.base_seconds} and {self.seconds_per_token}: raise them"
            )

    def seconds(self, tokens: int) -> float:
        """The longest time in seconds that a batch of this cost may run."""
        return self.base_seconds + tokens * self.seconds_per_token
