"""The figures of a bench of decoding, and the JSON object that `bioner bench decode --json` prints."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.models.precision_choice import PrecisionChoice


@dataclass(frozen=True, slots=True)
class ContenderFigures:
    """One contender: its sentences, and its seconds for them (a round, median over rounds).

    `tokens_per_second` counts tokens of finished copies, None for encoders, which write none; `to_floor` is its time
    through the floor's on the same sentences; `of_matrix_rate` is the floor's arithmetic done in its time, as a share
    of the machine's rate of matrix products: no way of decoding needs more arithmetic than the floor's.
    """

    seconds: float
    sentences: int
    sentences_per_second: float
    tokens_per_second: float | None
    to_floor: float
    of_matrix_rate: float | None


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """All contenders at one batch size; None where a contender that is needed for a figure was skipped.

    `passes_per_sentence` and `tokens_read_to_floor` say what the drafted decoder does beyond the floor;
    `encoder_parity` is its rate through that of the faster GLiNER encoder (float32 or int8), with that one's name;
    `identical` is the share of sentences on which drafted and reference decoder agree move for move; `f1` is against
    the gold.
    """

    batch: int
    sentences: int
    rows: int
    tokens: int
    spans_per_sentence: float
    contenders: Mapping[str, ContenderFigures]
    passes_per_sentence: float
    tokens_read_to_floor: float
    padding: Mapping[str, float]
    reference_to_drafted: float | None
    generate_to_drafted: float | None
    selector_to_drafted: float | None
    encoder_parity: Mapping[str, Any] | None
    identical: float | None
    generate_identical: float | None
    f1: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; each contender's seconds stand at the top level as `<name>_s` too."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "contenders"}
        return {
            **{f"{name}_s": one.seconds for name, one in self.contenders.items()},
            "reference_s": self._seconds("reference"),
            "drafted_to_floor": self.contenders["drafted"].to_floor,
            **fields,
            "padding": dict(self.padding),
            "f1": dict(self.f1),
            "contenders": {name: asdict(one) for name, one in self.contenders.items()},
        }

    def _seconds(self, name: str) -> float | None:
        return self.contenders[name].seconds if name in self.contenders else None


_OF_THEIR_OWN = ("batches", "machine", "precision")


@dataclass(frozen=True, slots=True)
class DecodeBench:
    """A whole bench: by batch size in ascending order, and what it ran on.

    `precision` says why it is `number_format`, and with `auto` the measured rate of each precision that was tried.
    """

    model: str
    parameters: int
    scheme: str
    label_set: str
    number_format: str
    precision: PrecisionChoice
    repeats: int
    moves_from: str
    machine: Mapping[str, Any]
    batches: tuple[BatchFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """The figures of the largest batch at the top level, those of every batch under `batches`."""
        about = {name: getattr(self, name) for name in self.__slots__ if name not in _OF_THEIR_OWN}
        return {
            **self.batches[-1].to_json(),
            **about,
            "precision_reason": self.precision.reason,
            "precisions_tried": dict(self.precision.rates),
            "machine": dict(self.machine),
            "batches": [one.to_json() for one in self.batches],
        }
