"""What the steps of one part share: the device, the models on it, the sentences; and the step that says what it is."""

import platform
from dataclasses import dataclass, field

import torch
import transformers

from bioner_core.benchmark.sentences import BenchSentence, draw_sentences
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.device_bench.sample_sentences import sample_records
from bioner_core.device_bench.settings import CPU_SIZES, GPU_SIZES, STAND_IN, DeviceBenchSettings, Sizes
from bioner_core.device_bench.stand_in import stand_in_model
from bioner_core.device_bench.steps import Findings, Step
from bioner_core.errors import ModelError
from bioner_core.evaluation.corpora import GoldRecord, read_corpus
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.inference.row_isolation import free_memory
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.directory import DEFAULT_MODEL, model_folder
from bioner_core.models.loading import LoadedModel, device_of, load_model
from bioner_core.models.precision import AUTO
from bioner_core.models.precision_choice import choose_precision
from bioner_core.models.processor import processor_name
from bioner_core.selector.selector import Selector, load_selector


@dataclass(slots=True)
class BenchModels:
    """Models are loaded when a step first asks for them, and kept until `forget`."""

    settings: DeviceBenchSettings
    _loaded: dict[str, LoadedModel] = field(default_factory=dict)
    why_stand_in: str = ""

    @property
    def device(self) -> torch.device:
        """The device that is benched."""
        return device_of(self.settings.device)

    @property
    def on_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"

    @property
    def model(self) -> str:
        """The name or the folder of the model."""
        return self.settings.model or (DEFAULT_MODEL if self.on_gpu else STAND_IN)

    @property
    def sizes(self) -> Sizes:
        """How much to do on such a device."""
        return GPU_SIZES if self.on_gpu else CPU_SIZES

    @property
    def fast_precision(self) -> str:
        """What `auto` computes in here."""
        return choose_precision(AUTO, on_gpu=self.on_gpu).name

    @property
    def label_set(self) -> LabelSet:
        """The label set of every step."""
        return load_label_set(self.settings.label_set)

    def loaded(self, precision: str) -> LoadedModel:
        """The model in a precision; the stand-in where it cannot be loaded, which `why_stand_in` then explains."""
        if precision not in self._loaded:
            self._loaded[precision] = self._load(precision)
        return self._loaded[precision]

    def _load(self, precision: str) -> LoadedModel:
        if self.model == STAND_IN:
            self.why_stand_in = "asked for"
        if not self.why_stand_in:
            try:
                return load_model(model_folder(self.model), device=str(self.device), precision=precision)
            except ModelError as error:
                self.why_stand_in = str(error)
        return stand_in_model(self.label_set, device=self.device, precision=precision)

    def selector(self, loaded: LoadedModel) -> Selector | None:
        """The model's selector; a stand-in has none."""
        return None if self.why_stand_in else load_selector(model_folder(self.model), loaded)

    def subject(self, precision: str, *, rate: float = 1.0) -> BenchSubject:
        """The model as the decode bench takes it. Tags of a stand-in mean nothing, so the gold's are written."""
        loaded = self.loaded(precision)
        return BenchSubject(
            loaded,
            loaded.network,
            prepare_label_set(self.label_set, loaded),
            rate,
            is_gold_forced=bool(self.why_stand_in),
            selector=self.selector(loaded),
        )

    def annotator(self, precision: str) -> ModelAnnotator:
        """The model as an actor holds it."""
        loaded = self.loaded(precision)
        return ModelAnnotator(loaded, [self.label_set], fingerprint="bench", selector=self.selector(loaded))

    def records(self, count: int) -> list[GoldRecord]:
        """Records for so many sentences: those of `data`, or those that come with the bench."""
        return list(read_corpus(self.settings.data)) if self.settings.data else sample_records(count)

    def sentences(self, subject: BenchSubject, count: int) -> list[BenchSentence]:
        """So many sentences, over and over if the data has fewer."""
        found = draw_sentences(self.records(count), subject, count=count)
        return (found * -(-count // len(found)))[:count]

    def forget(self) -> None:
        """Give the device's memory back."""
        self._loaded.clear()
        free_memory()


def reset_peak(device: torch.device) -> None:
    """Begin to watch the device's memory anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_gigabytes(device: torch.device) -> float | None:
    """The most memory that tensors took on the device since `reset_peak`; None on a CPU."""
    return round(torch.cuda.max_memory_allocated(device) / 1e9, 3) if device.type == "cuda" else None


def machine_step(models: BenchModels) -> Step:
    """The device, its memory, and the software."""
    return Step("machine", 0, lambda _, found: _describe(models, found))


def _describe(models: BenchModels, found: Findings) -> None:
    device = models.device
    name = torch.cuda.get_device_name(device) if models.on_gpu else processor_name()
    memory = torch.cuda.get_device_properties(device).total_memory if models.on_gpu else None
    found.note(
        f"{name}, torch {torch.__version__}, transformers {transformers.__version__}, "
        f"Python {platform.python_version()}",
        device=device.type,
        processor=name,
        memory_gb=None if memory is None else round(memory / 1e9, 1),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        transformers=transformers.__version__,
        python=platform.python_version(),
        cuda=torch.version.cuda,
        precision=models.fast_precision,
    )
