"""What a bench of decoding looks at."""

from dataclasses import dataclass

from bioner_core.decoding.prepared_label_set import PreparedLabelSet
from bioner_core.decoding.rows import LabelSetTokens
from bioner_core.models.loading import LoadedModel
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.selector.selector import Selector


@dataclass(frozen=True, slots=True)
class BenchSubject:
    """A network and its label set. With random weights, `loaded` takes the decisions; with `is_gold_forced`, the gold.

    `matrix_rate` is the device's rate of matrix products, multiplications and additions per second.
    """

    loaded: LoadedModel
    network: TaggingModel
    prepared: PreparedLabelSet
    matrix_rate: float
    is_gold_forced: bool = False
    selector: Selector | None = None

    @property
    def decides_itself(self) -> bool:
        """Whether the moves are the network's own."""
        return self.network is self.loaded.network and not self.is_gold_forced

    @property
    def tokens(self) -> LabelSetTokens:
        """The label set in the model's tokens."""
        return self.prepared.tokens
