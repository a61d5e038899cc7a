"""How a client of the pool batches, waits and gives up, checked before anything starts."""

from dataclasses import dataclass, field

from bioner_core.errors import ConfigurationError
from bioner_core.inference.batching import BatchLimits
from pipelines.pool.deadline import DeadlinePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Limits of one client.

    `token_budget` and `max_rows` cap a batch (see `plan_batches`); None leaves them to what the actors found for
    their devices, and a budget that is set without `max_rows` sets them as `BatchLimits.of_budget` does. `window` is
    how many batches one actor has from this client: one that runs and one that is ready. `read_ahead` is how many
    batches per actor a stream may have open, read and not handed back, before it waits for its oldest buffer.
    `max_attempts` is how many deaths a single row may cause before it is rejected. The client gives up when no actor
    answers for `grace_seconds`, or when actors died `max_consecutive_deaths` times each, on average, with no batch
    answered in between. An overdue actor that does not answer a ping in `ping_seconds` is taken for hung.

    Raises:
        ConfigurationError: a value is out of range.
    """

    token_budget: int | None = None
    max_rows: int | None = None
    window: int = 2
    read_ahead: int = 16
    max_attempts: int = 3
    deadline: DeadlinePolicy = field(default_factory=DeadlinePolicy)
    grace_seconds: float = 900.0
    ping_seconds: float = 30.0
    max_consecutive_deaths: int = 16

    def __post_init__(self) -> None:
        for name in ("token_budget", "max_rows", "window", "read_ahead", "max_attempts", "max_consecutive_deaths"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigurationError(f"{name} must be at least 1, not {value}: raise it")
        for name in ("grace_seconds", "ping_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above 0, not {getattr(self, name)}: raise it")

    def limits(self, found: BatchLimits) -> BatchLimits:
        """What a batch may cost: as set here, and where nothing is set, as it was found."""
        limits = found if self.token_budget is None else BatchLimits.of_budget(self.token_budget)
        return limits if self.max_rows is None else BatchLimits(limits.token_budget, self.max_rows)
