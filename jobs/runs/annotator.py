"""Which annotator a command works with: known, checked and fingerprinted before Ray starts and without torch."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bioner_core.benchmark.simulated_annotator import SimulatedAnnotator
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotation import NullAnnotator
from bioner_core.inference.budget import MemoryLimit
from bioner_core.labels.label_set import LabelSet, default_label_sets, load_label_set
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import (
    DEFAULT_MODEL,
    check_rows,
    check_selector,
    is_bundled,
    label_sets_of,
    model_folder,
)
from bioner_core.models.fingerprint import annotator_fingerprint
from bioner_core.models.model_card import ModelCard, int8_is_good, read_card
from bioner_core.models.precision import AUTO, check_precision
from bioner_core.models.precision_choice import PrecisionChoice, choose_precision, rates_in_words, with_rates
from bioner_core.models.processor import processor_name
from bioner_core.models.tag_choice import free_types, is_free, thresholds_of
from jobs.options.annotation import ActorOptions
from jobs.terminal.console import say, say_warning
from pipelines.pool.service import AnnotatorSpec

MODEL = "model"
NULL = "null"
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatorChoice:
    """`kind` is `model` or `null`; the rest says which model, and counts for `model` only.

    For benches there is a third kind, `simulated`: `simulated` is then what each actor holds. `precision_reason` says
    why a precision is named here that nobody asked for by name. `on_gpu` says whether whoever holds the model has a
    GPU, as actors on a cluster may where this machine has none; None: as this machine.

    Raises:
        ConfigurationError: `kind` or `precision` is unknown.
    """

    label_sets: tuple[LabelSet, ...]
    kind: str = MODEL
    model: str = DEFAULT_MODEL
    precision: str = AUTO
    precision_reason: str = ""
    use_selector: bool = True
    simulated: SimulatedAnnotator | None = None
    on_gpu: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in (MODEL, NULL) and not (self.kind == SIMULATED and self.simulated):
            raise ConfigurationError(f"annotator: {self.kind!r}; choose {MODEL} or {NULL}")
        check_precision(self.precision)

    @property
    def precision_choice(self) -> PrecisionChoice:
        """What the model computes in. All actors are told this one; on processors this machine's own decides."""
        card = self._card
        found = choose_precision(
            self.precision,
            on_gpu=self._is_on_gpu,
            base=self.base,
            int8_is_good=card is not None and int8_is_good(card.int8),
        )
        return replace(found, reason=found.reason or self.precision_reason)

    @property
    def precision_in_words(self) -> str:
        """The precision and its reason in one line; empty for an annotator without a model."""
        return self.precision_choice.in_words if self.kind == MODEL else ""

    @property
    def base(self) -> Path | None:
        """The folder of the base; None where it is not there, which `check_ready` says."""
        card = self._card
        try:
            return None if card is None else base_folder(card.base)
        except ModelError:
            return None

    @property
    def _is_on_gpu(self) -> bool:
        return visible_gpus() > 0 if self.on_gpu is None else self.on_gpu

    @property
    def _card(self) -> ModelCard | None:
        try:
            return read_card(model_folder(self.model))
        except ModelError:
            return None

    def fingerprint(self) -> str:
        """Hex digest of everything that this annotator's candidates depend on.

        Raises:
            ModelError: there is no such model.
        """
        if self.kind == NULL:
            return NullAnnotator().fingerprint
        if self.simulated is not None:
            return self.simulated.fingerprint
        # A name is taken as it is: whether this device computes in it is another question, which `precision_choice`
        # answers, and a store's precision is found by asking for the fingerprints of all names.
        precision = self.precision_choice.name if self.precision == AUTO else self.precision
        return annotator_fingerprint(
            model_folder(self.model), self.label_sets, precision=precision, use_selector=self.use_selector
        )

    def thresholds(self) -> dict[str, float]:
        """From which score of the selector a candidate is accepted; empty where nothing is turned down.

        Raises:
            ModelError: there is no such model.
        """
        if self.kind != MODEL or not self.use_selector:
            return {}
        return thresholds_of(read_card(model_folder(self.model)), self.label_sets)

    def in_words(self) -> dict[str, str]:
        """What the choice is, for a person who compares it with another."""
        label_sets = ", ".join(one.name for one in self.label_sets)
        if self.kind == NULL:
            return {"annotator": NULL}
        selector = "with" if self.use_selector else "without"
        precision = self.precision_choice.name
        return {"model": self.model, "label sets": label_sets, "precision": precision, "selector": selector}

    def check_ready(self) -> None:
        """Find out in a moment what would otherwise come up in every actor, and say which precision `auto` is here.

        Where the precision is not `auto`'s own and slow on this machine, that is said too.

        Raises:
            ModelError: the base model has not been pulled, or the model lacks rows for its tags, or its selector.
        """
        if self.kind != MODEL:
            return
        folder = model_folder(self.model)
        card = read_card(folder)
        check_rows(folder, card)
        if self.use_selector:
            check_selector(folder, card)
        self._say_precision(base_folder(card.base))
        for label_set in self.label_sets:
            unseen = free_types(label_set, card)
            if unseen:
                goes_by = "their definitions alone" if any(map(is_free, card.tags)) else "the nearest of its own types"
                say_warning(
                    f"label set {label_set.name!r}: model {card.name!r} was not trained for "
                    f"{', '.join(unseen)}; it goes by {goes_by} (docs/evaluation.md)"
                )

    def _say_precision(self, base: Path) -> None:
        choice = self.precision_choice
        if choice.reason:
            say(f"precision {choice.in_words}")
        known = with_rates(choice, on_gpu=self._is_on_gpu, base=base)
        if known.slower_than:
            say_warning(
                f"precision {known.name} is slow on this machine ({rates_in_words(known.rates)} measured "
                f"here): --precision {known.slower_than} is faster, and gives a store other mentions now and then"
            )

    def spec(self, memory: MemoryLimit | None = None) -> AnnotatorSpec:
        """How an actor builds the annotator, in whatever folder it runs; `memory` is what its batches may take.

        Raises:
            ModelError: there is no such model.
        """
        if self.kind == NULL:
            return AnnotatorSpec("bioner_core.inference.annotation:NullAnnotator", fingerprint=self.fingerprint())
        if self.simulated is not None:
            factory = "bioner_core.benchmark.simulated_annotator:SimulatedAnnotator"
            return AnnotatorSpec(factory, asdict(self.simulated), self.fingerprint())
        model = self.model if is_bundled(self.model) else str(Path(self.model).resolve())
        return AnnotatorSpec(
            "bioner_core.inference.annotator:load_annotator",
            {
                "label_sets": self.label_sets,
                "model": model,
                "precision": self.precision_choice.name,
                "use_selector": self.use_selector,
                "memory": memory,
                "launched_on": processor_name(),
            },
            self.fingerprint(),
        )


def chosen_annotator(options: ActorOptions) -> AnnotatorChoice:
    """The annotator that a verb's options name.

    Raises:
        ConfigurationError: a label set, the kind of annotator or the precision is unknown.
    """
    return AnnotatorChoice(
        label_sets=chosen_label_sets(options.label_set or (), model=options.model if options.kind == MODEL else ""),
        kind=options.kind,
        model=options.model,
        precision=options.precision,
        use_selector=not options.no_selector,
    )


def chosen_label_sets(names: Sequence[str], *, model: str = "") -> tuple[LabelSet, ...]:
    """The label sets of these names or paths; without names those that `model` is used with, or the default ones.

    Raises:
        ConfigurationError: there is no such label set.
        ModelError: there is no such model.
    """
    if names:
        return tuple(load_label_set(name) for name in names)
    return label_sets_of(model) if model else default_label_sets()


_DRIVER_FOLDER = Path("/proc/driver/nvidia/gpus")


def visible_gpus() -> int:
    """The NVIDIA GPUs that this process may use: those of `CUDA_VISIBLE_DEVICES` where it is set, else all."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    present = len(list(_DRIVER_FOLDER.glob("*")))
    if allowed is None:
        return present
    named = [name for name in allowed.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    return min(present, len(named))
