"""How fast this processor multiplies matrices in each precision: run as a module, in a process of its own.

Reads a list of shapes as JSON from standard input and prints the rates as JSON, so that whoever asks imports no torch.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

import torch

from bioner_core.models.int8 import Int8Linear, int8_is_possible
from bioner_core.models.precision import INT8, PRECISIONS, number_format
from bioner_core.models.precision_rates import MatrixShape

ROWS = 256
"""Rows of a pass: 16 sentences of 16 moves each."""

_ROUNDS = 5
"""Other work on the machine only ever makes a round slower, so the best of a few counts; five take about a second."""

_ROUND_SECONDS = 0.2
"""A pass that takes longer needs no second look: bfloat16 where it is emulated is 8 times slower than float32."""


def product_rates(shapes: Sequence[MatrixShape]) -> dict[str, float]:
    """Multiplications and additions per second of processor time, by precision: the best of a few rounds.

    One thread, and its own processor time, so that other work on the machine hardly counts; the precisions take turns.
    """
    torch.set_num_threads(1)
    work = 2.0 * ROWS * sum(one * other for one, other in shapes)
    names = [name for name in PRECISIONS if name != INT8 or int8_is_possible()]
    trials = {name: _products(name, shapes) for name in names}
    seconds = {name: [_timed(trial)] for name, trial in trials.items()}  # the first time also warms up
    for _ in range(_ROUNDS):
        for name, trial in trials.items():
            if min(seconds[name]) < _ROUND_SECONDS:  # one that takes this long has lost already
                seconds[name].append(_timed(trial))
    return {name: work / min(found) for name, found in seconds.items()}


def _products(precision: str, shapes: Sequence[MatrixShape]) -> Callable[[], None]:
    kind = number_format(precision)
    layers = [torch.nn.Linear(inputs, outputs, bias=False, dtype=kind) for inputs, outputs in shapes]
    products = [Int8Linear(one) if precision == INT8 else one for one in layers]
    states = {inputs: torch.randn(ROWS, inputs).to(kind) for inputs, _ in shapes}

    def run() -> None:
        with torch.inference_mode():
            for (inputs, _), product in zip(shapes, products, strict=True):
                product(states[inputs])

    return run


def _timed(trial: Callable[[], None]) -> float:
    started = time.process_time()
    trial()
    return max(time.process_time() - started, 1e-9)


if __name__ == "__main__":
    json.dump(product_rates([(one, other) for one, other in json.load(sys.stdin)]), sys.stdout)
