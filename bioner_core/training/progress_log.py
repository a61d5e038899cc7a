"""The log line of a training run."""

from dataclasses import replace

from bioner_core.duration import spoken_duration
from bioner_core.training.checkpoint import TrainingProgress
from bioner_core.training.loss import LossParts


class LogWindow:
    """Sums since the last log line."""

    def __init__(self, start: TrainingProgress) -> None:
        self._start = start
        self._parts: list[LossParts] = []

    def add(self, parts: LossParts) -> None:
        """Count one batch; its numbers are fetched from the device when the line is written."""
        self._parts.append(replace(parts, loss=parts.loss.detach()))

    def seconds(self, now: TrainingProgress) -> float:
        """Seconds of training since the last log line."""
        return now.seconds - self._start.seconds

    def line(self, now: TrainingProgress, share_done: float) -> str:
        """One line: step, loss, recall and precision of tags given gold history, tokens per second, time left."""
        seconds = max(self.seconds(now), 1e-9)
        terms = sum(one.terms for one in self._parts)
        loss = sum(float(one.loss) * one.terms for one in self._parts) / max(terms, 1)
        gold, predicted, right = (
            sum(int(getattr(one.tags, name)) for one in self._parts) for name in ("gold", "predicted", "right")
        )
        left = now.seconds * (1 - share_done) / max(share_done, 1e-9)
        return (
            f"step {now.steps}  loss {loss:.4f}"
            f"  tag recall {right / max(gold, 1):.3f}"
            f"  precision {right / max(predicted, 1):.3f}"
            f"  {(now.tokens - self._start.tokens) / seconds:.0f} tokens/s"
            f"  {now.tokens} tokens  {share_done:.1%} done  {spoken_duration(left)} left"
        )
