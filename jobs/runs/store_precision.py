"""Which precision a run on a store computes in: the store's own, once it has one."""

from dataclasses import replace

from bioner_core.errors import DamagedFileError
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.models.precision import AUTO, PRECISIONS
from bioner_core.models.processor import processor_name
from bioner_core.store.history.model_notes import PrecisionPin, read_pin, write_pin
from bioner_core.store.layout import Store
from bioner_core.store.manifest import total
from bioner_core.store.reading import shown_manifests
from jobs.runs.annotator import MODEL, AnnotatorChoice
from jobs.terminal.console import say
from pipelines.job import decode_fingerprint

STORE_REASON = "pinned by the store's first run"


def in_store_precision(choice: AnnotatorChoice, store: Store) -> AnnotatorChoice:
    """The choice with `auto` resolved: to the precision that the store is pinned to, or else to the fastest here.

    Raises:
        ModelError: there is no such model.
        StoreError: a manifest is of a newer schema version.
    """
    if choice.kind != MODEL or choice.precision != AUTO:
        return choice
    pinned = store_precision(choice, store)
    if pinned:
        return replace(choice, precision=pinned, precision_reason=STORE_REASON)
    found = choice.precision_choice
    return replace(choice, precision=found.name, precision_reason=found.reason)


def store_precision(choice: AnnotatorChoice, store: Store) -> str:
    """The precision of the store; empty when it has none yet.

    A store from before precisions were pinned, or whose pin is damaged, has that with which this very annotator made
    shards of it.

    Raises:
        ModelError, StoreError: as `in_store_precision`.
    """
    damage: DamagedFileError | None = None
    try:
        pin = read_pin(store)
    except DamagedFileError as error:
        pin, damage = None, error
    if pin is not None:
        return pin.precision
    found = _made_in(choice, store)
    if damage is not None and not found:  # nothing tells what it was, and a guess might change it
        raise damage
    return found


def _made_in(choice: AnnotatorChoice, store: Store) -> str:
    """The precision in which this very annotator made shards of the store; empty where it made none."""
    made = {one.decode_fingerprint for one in shown_manifests(store)} - {""}
    if not made:
        return ""
    label_sets = [LabelSetChoice(one.name, one.languages) for one in choice.label_sets]
    of_precision = {name: replace(choice, precision=name).fingerprint() for name in PRECISIONS}
    return next((name for name, one in of_precision.items() if decode_fingerprint(one, label_sets) in made), "")


def _whole_pin(store: Store) -> PrecisionPin | None:
    """The pin, or None where there is none or a damaged one, which the run that begins now makes anew."""
    try:
        return read_pin(store)
    except DamagedFileError:
        return None


def pin_precision(choice: AnnotatorChoice, store: Store) -> None:
    """Pin the store to the precision of a run that begins now; a change is told with what it costs.

    Raises:
        ModelError, StoreError: as `in_store_precision`; the store cannot be written.
    """
    if choice.kind != MODEL:
        return
    now, before = choice.precision_choice, store_precision(choice, store)
    if before and before != now.name:
        counts = total(one.counts for one in shown_manifests(store))
        say(
            f"the store's precision was {before} and is {now.name} from now on: {counts.annotated + counts.unchanged} "
            f"documents that it holds were annotated in {before}, and each is annotated anew when its input is given "
            "again"
        )
    pin = _whole_pin(store)
    if pin is None or pin.precision != now.name:
        write_pin(store, precision=now.name, reason=now.reason or "asked for by name", processor=processor_name())
