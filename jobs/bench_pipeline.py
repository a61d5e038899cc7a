"""The work behind `bioner bench pipeline`: one run of the whole way after another, each into a store of its own."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bioner_core.benchmark.pipeline_report import PipelineBench, PipelineFigures
from bioner_core.benchmark.simulated_annotator import SimulatedAnnotator
from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import LabelSet
from jobs.annotation_options import ActorOptions, RunOptions
from jobs.annotation_run import AnnotationWishes, annotate_inputs
from jobs.annotator_choice import MODEL, NULL, SIMULATED, AnnotatorChoice
from jobs.bench_documents import write_bench_documents
from pipelines.pool.peak_memory import forget_peak_memory
from pipelines.pool.pool_settings import usable_processors
from pipelines.summary import JobSummary

ANNOTATORS = (NULL, SIMULATED, MODEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineBenchSettings:
    """What to run: each annotator with each number of actors on documents of each length.

    `documents` is how many documents each actor is given, so that runs with many actors take as long as those with few;
    None means the inputs as they are. `document_sentences` empty leaves the documents as long as they are.

    Raises:
        ConfigurationError: an annotator is unknown, a number is not positive, or lengths are given without `documents`.
    """

    inputs: tuple[str, ...]
    label_sets: tuple[LabelSet, ...]
    annotators: tuple[str, ...] = (NULL,)
    actors: tuple[int, ...] = (1,)
    documents: int | None = None
    document_sentences: tuple[int, ...] = ()
    simulated: SimulatedAnnotator = SimulatedAnnotator()  # noqa: RUF009  frozen
    model: str = "default"
    token_budget: int | None = None
    shard_records: int = 200
    threads_per_actor: int | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        for name in self.annotators:
            if name not in ANNOTATORS:
                raise ConfigurationError(f"annotator: {name!r}; choose from {', '.join(ANNOTATORS)}")
        for number in (*self.actors, *self.document_sentences, *([] if self.documents is None else [self.documents])):
            if number < 1:
                raise ConfigurationError(f"actors, documents and document-sentences: {number}; give 1 or more")
        if self.document_sentences and self.documents is None:
            raise ConfigurationError("document-sentences: say with --documents how many documents an actor is given")

    def points(self) -> Iterator["Point"]:
        """The runs in their order."""
        for annotator in self.annotators:
            for length in self.document_sentences or (None,):
                yield from (Point(annotator, actors, length) for actors in sorted(set(self.actors)))

    def choice(self, annotator: str) -> AnnotatorChoice:
        """The annotator of this name."""
        simulated = self.simulated if annotator == SIMULATED else None
        return AnnotatorChoice(label_sets=self.label_sets, kind=annotator, model=self.model, simulated=simulated)


@dataclass(frozen=True, slots=True)
class Point:
    """One run: `document_sentences` None leaves the documents as long as they are."""

    annotator: str
    actors: int
    document_sentences: int | None


def bench_pipeline(
    settings: PipelineBenchSettings, *, on_point: Callable[[Point], None] = lambda _: None
) -> tuple[PipelineBench, int]:
    """Do all runs; `on_point` hears of each before it starts. Returns the figures and the worst exit code.

    Raises:
        BionerError: as `annotate_inputs`.
    """
    for name in settings.annotators:
        settings.choice(name).check_ready()
    figures: list[PipelineFigures] = []
    worst = 0
    for point in settings.points():
        on_point(point)
        figure, code = _run(settings, point)
        figures.append(figure)
        worst = max(worst, code)
    seconds = settings.simulated.seconds_per_batch if SIMULATED in settings.annotators else None
    return PipelineBench(tuple(figures), seconds, _machine()), worst


def _run(settings: PipelineBenchSettings, point: Point) -> tuple[PipelineFigures, int]:
    with tempfile.TemporaryDirectory(prefix="bioner-bench-") as folder:
        inputs, store = settings.inputs, Path(folder) / "store"
        if settings.documents is not None:
            made = Path(folder) / "documents.jsonl"
            count = settings.documents * point.actors
            write_bench_documents(inputs, made, documents=count, document_sentences=point.document_sentences)
            inputs = (str(made),)
        forget_peak_memory()
        started, started_by_wall = time.monotonic(), time.time()
        wishes = AnnotationWishes(
            inputs=inputs,
            store=store,
            annotator=settings.choice(point.annotator),
            run=RunOptions(
                actors=ActorOptions(wanted=point.actors, threads_per_actor=settings.threads_per_actor),
                token_budget=settings.token_budget,
                quiet=settings.quiet,
            ),
            shard_records=settings.shard_records,
            started=started,
        )
        summary = annotate_inputs(wishes)
        first_shard = _first_commit(store)
    since = None if first_shard is None else round(first_shard - started_by_wall, 3)
    return _figures(point, summary, first_shard_seconds=since), summary.exit_code()


def _figures(point: Point, summary: JobSummary, *, first_shard_seconds: float | None) -> PipelineFigures:
    load = summary.load
    return PipelineFigures(
        annotator=point.annotator,
        actors=point.actors,
        document_sentences=point.document_sentences,
        documents=summary.counts.annotated,
        sentences=summary.counts.sentences,
        seconds=summary.seconds,
        actor_busy_share=load.actor_busy_share,
        first_document_seconds=load.first_document_seconds,
        first_shard_seconds=first_shard_seconds,
        feeder_cpu_seconds=load.feeder_cpu_seconds,
        feeder_peak_memory=load.feeder_peak_memory,
        actor_peak_memory=load.actor_peak_memory,
        summary=summary.as_json(),
    )


def _first_commit(store: Path) -> float | None:
    """When the first manifest was written, by the wall clock."""
    return min((path.stat().st_mtime for path in (store / "manifests").glob("[!.]*.json")), default=None)


def _machine() -> dict[str, object]:
    return {
        "processors": usable_processors(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }
