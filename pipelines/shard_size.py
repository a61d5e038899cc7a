"""How many records make a shard: about a minute of work on the device at hand, by what its first records hold."""

import math
from collections.abc import Iterable, Sequence
from itertools import islice

from bioner_core.documents import Document
from bioner_core.inference.document_rows import plan_rows
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.records import Record

SHARD_SECONDS = 60.0
"""What a kill may cost: the work of one shard."""

SAMPLE_RECORDS = 50
"""So many records from the start of an input say how long its documents are."""


def fitting_records(records: Iterable[Record], label_sets: Sequence[LabelSetChoice], *, rows: float, most: int) -> int:
    """How many records like these have about so many rows (sentences times label sets), from 1 to `most`.

    Looks at the first `SAMPLE_RECORDS` only, so the same input and the same wish give the same answer.
    """
    sample = list(islice(records, SAMPLE_RECORDS))
    found = sum(len(plan_rows(one, label_sets).rows) for one in sample if isinstance(one, Document))
    if not found:
        return most
    return max(1, min(most, math.ceil(rows * len(sample) / found)))
