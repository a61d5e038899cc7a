"""From similarities to probabilities, and the yardstick of a selector: a threshold on tag scores alone."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.f1 import f1_from_counts

_STEPS = 500

F1_TO_SPARE = 0.001
"""What a higher threshold, which is more precise, may cost in F1 on development data."""


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


def fit_calibration(calibration: Calibration, similarity: Tensor, *, tag_score: Tensor, is_right: Tensor) -> None:
    """Maximise the likelihood of right and wrong on development candidates.

    *Shape:* similarity, tag_score, is_right (spans,).
    """
    optimizer = torch.optim.LBFGS(calibration.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(calibration(similarity, tag_score), is_right.float())
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def tag_score_threshold(scores: Sequence[float], is_right: Sequence[bool], *, gold_count: int) -> tuple[float, float]:
    """The highest threshold within `F1_TO_SPARE` of the best F1 when candidates at or above it are kept, and its F1.

    What a selector that knows tag scores alone would do; the thresholds in use are those of `thresholds.py`. Of
    thresholds that are as good the most precise is taken. `gold_count` counts all gold spans, found or not. Between two
    candidates the threshold is their midpoint.
    """
    cuts = _cuts(sorted(zip(scores, is_right, strict=True), reverse=True), gold_count)
    best = max((f1 for _, f1 in cuts), default=0.0)
    if best == 0.0:
        return 0.0, 0.0
    return next((threshold, f1) for threshold, f1 in cuts if f1 >= best - F1_TO_SPARE)


def _cuts(ranked: Sequence[tuple[float, bool]], gold_count: int) -> list[tuple[float, float]]:
    """Every threshold that keeps another set of candidates, the highest first, and the F1 of what it keeps."""
    cuts, right = [], 0
    for kept, (score, correct) in enumerate(ranked, start=1):
        right += correct
        following = ranked[kept][0] if kept < len(ranked) else -1.0
        if following < score:
            threshold = (score + following) / 2 if kept < len(ranked) else 0.0
            cuts.append((threshold, f1_from_counts(right, found=kept, gold=gold_count)))
    return cuts
