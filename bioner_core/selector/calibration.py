"""From similarities to probabilities, and from probabilities to a threshold, on development data."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_STEPS = 500


class Calibration(nn.Module):
    """A logistic model of two numbers: the similarity of a span to its type, and its tag score."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 0.1]))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def forward(self, similarity: Tensor, tag_score: Tensor) -> Tensor:
        """Logit that a candidate is right.

        *Shape:* similarity, tag_score (spans,) -> (spans,).
        """
        logit: Tensor = similarity * self.weight[0] + tag_score * self.weight[1] + self.bias
        return logit


def fit_calibration(calibration: Calibration, similarity: Tensor, tag_score: Tensor, is_right: Tensor) -> None:
    """Maximise the likelihood of right and wrong on development candidates."""
    optimizer = torch.optim.LBFGS(calibration.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(calibration(similarity, tag_score), is_right.float())
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def best_threshold(probabilities: Sequence[float], is_right: Sequence[bool], gold_count: int) -> tuple[float, float]:
    """The threshold that maximises F1 when candidates at or above it are kept, and that F1.

    `gold_count` counts all gold spans, found or not. Between two candidates the threshold is their midpoint.
    """
    ranked = sorted(zip(probabilities, is_right, strict=True), reverse=True)
    best, best_f1, right = 0.0, 0.0, 0
    for kept, (probability, correct) in enumerate(ranked, start=1):
        right += correct
        f1 = 2 * right / (kept + gold_count)
        following = ranked[kept][0] if kept < len(ranked) else 0.0
        if f1 > best_f1 and following < probability:
            best, best_f1 = (probability + following) / 2 if kept < len(ranked) else 0.0, f1
    return best, best_f1
