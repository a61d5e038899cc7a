"""The log line of a training run."""

from bioner_core.duration import spoken_duration
from bioner_core.training.checkpoint import TrainingProgress
from bioner_core.training.loss import LossParts


class LogWindow:
    """Sums since the last log line."""

    def __init__(self, start: TrainingProgress) -> None:
        self._start = start
        self._loss = 0.0
        self._terms = self._gold = self._predicted = self._right = 0

    def add(self, parts: LossParts) -> None:
        """Count one batch."""
        self._loss += float(parts.loss.detach()) * parts.terms
        self._terms += parts.terms
        self._gold += parts.tags.gold
        self._predicted += parts.tags.predicted
        self._right += parts.tags.right

    def line(self, now: TrainingProgress, share_done: float) -> str:
        """One line: step, loss, recall and precision of tags given gold history, tokens a second, time left."""
        seconds = max(now.seconds - self._start.seconds, 1e-9)
        left = now.seconds * (1 - share_done) / max(share_done, 1e-9)
        return (
            f"step {now.steps}  loss {self._loss / max(self._terms, 1):.4f}"
            f"  tag recall {self._right / max(self._gold, 1):.3f}"
            f"  precision {self._right / max(self._predicted, 1):.3f}"
            f"  {(now.tokens - self._start.tokens) / seconds:.0f} tokens/s"
            f"  {now.tokens} tokens  {share_done:.1%} done  {spoken_duration(left)} left"
        )
