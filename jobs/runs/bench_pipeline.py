"""The work behind `bioner bench pipeline`: one run of the whole way after another, each into a store of its own."""

import json
import os
import platform
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bioner_core.benchmark.pipeline_report import PipelineBench, PipelineFigures
from bioner_core.benchmark.simulated_annotator import SimulatedAnnotator
from bioner_core.documents import Document
from bioner_core.errors import ConfigurationError, InputError
from bioner_core.formats.folder_inputs import expand_inputs
from bioner_core.formats.reader import read_records
from bioner_core.labels.label_set import LabelSet
from bioner_core.store.history.ledger import new_run_id
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.text.sentences import split_passage
from jobs.options.annotation import ActorRange, AnnotateConfig
from jobs.runs.annotator import MODEL, NULL, SIMULATED, AnnotatorChoice
from jobs.runs.session import AnnotationSession, annotate_inputs, make_store, open_lock
from pipelines.nightly.apply import PendingFile, SyncContext
from pipelines.nightly.backfill import run_backfill
from pipelines.pool.load import RunLoad, forget_peak_memory
from pipelines.pool.pool_settings import usable_processors
from pipelines.sync.listing import list_place
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import SilentProgress

ANNOTATORS = (NULL, SIMULATED, MODEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineBenchSettings:
    """What to run: each annotator with each number of feeders, and of actors for each, on documents of each length.

    `documents` is how many documents each actor is given, so that runs with many actors take as long as those with few;
    None means the inputs as they are. `document_sentences` empty leaves the documents as long as they are. With `files`
    the documents are spread over so many files, which are applied one after another as a backfill does it.

    Raises:
        ConfigurationError: an annotator is unknown, a number is not positive, or lengths or files are given without
            `documents`.
    """

    inputs: tuple[str, ...]
    label_sets: tuple[LabelSet, ...]
    annotators: tuple[str, ...] = (NULL,)
    actors: tuple[int, ...] = (1,)
    feeders: tuple[int, ...] = (1,)
    documents: int | None = None
    files: int | None = None
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
                raise ConfigurationError(f"--annotator: {name!r}; choose from {', '.join(ANNOTATORS)}")
        asked: dict[str, tuple[int | None, ...]] = {
            "--actors": self.actors,
            "--feeders": self.feeders,
            "--document-sentences": self.document_sentences,
            "--documents": (self.documents,),
            "--files": (self.files,),
        }
        for option, numbers in asked.items():
            for number in numbers:
                if number is not None and number < 1:
                    raise ConfigurationError(f"{option}: {number}; give 1 or more")
        if self.document_sentences and self.documents is None:
            raise ConfigurationError(
                "--document-sentences: say with --documents how many documents each actor is given"
            )
        if self.files is not None and self.documents is None:
            raise ConfigurationError("--files: say with --documents how many documents per actor they hold together")

    def points(self) -> Iterator["Point"]:
        """The runs in their order."""
        pairs = sorted({(feeders * actors, feeders) for feeders in self.feeders for actors in self.actors})
        for annotator in self.annotators:
            for length in self.document_sentences or (None,):
                yield from (Point(annotator, actors, length, feeders) for actors, feeders in pairs)

    def choice(self, annotator: str) -> AnnotatorChoice:
        """The annotator of this name."""
        simulated = self.simulated if annotator == SIMULATED else None
        return AnnotatorChoice(label_sets=self.label_sets, kind=annotator, model=self.model, simulated=simulated)


@dataclass(frozen=True, slots=True)
class Point:
    """One run: `actors` are those of all feeders; `document_sentences` None leaves documents as long as they are."""

    annotator: str
    actors: int
    document_sentences: int | None
    feeders: int = 1


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
        inputs, store = settings.inputs, Store(Path(folder) / "store")
        if settings.documents is not None:
            made = Path(folder) / "documents.jsonl"
            count = settings.documents * point.actors
            write_bench_documents(inputs, made, documents=count, document_sentences=point.document_sentences)
            inputs = (str(made),)
        forget_peak_memory()
        started, started_by_wall = time.monotonic(), time.time()
        config = AnnotateConfig(
            inputs=inputs,
            store=store,
            wanted=ActorRange(point.actors, point.actors),
            threads_per_actor=settings.threads_per_actor,
            token_budget=settings.token_budget,
            quiet=settings.quiet,
            shard_records=settings.shard_records,
            feeders=point.feeders,
            carry_over=settings.files is not None,
        )
        if settings.files is None:
            summary = annotate_inputs(config, annotator=settings.choice(point.annotator), started=started)
            run = _Run(summary.counts, summary.seconds, summary.load, summary.as_json(), summary.exit_code())
        else:
            places = _split(Path(inputs[0]), settings.files)
            run = _backfilled(places, config, settings.choice(point.annotator), started=started)
        first_shard = _first_commit(store)
    since = None if first_shard is None else round(first_shard - started_by_wall, 3)
    return _figures(point, run, first_shard_seconds=since), run.exit_code


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run did, in `seconds` without the start of Ray and of the actors."""

    counts: Counts
    seconds: float
    load: RunLoad
    summary: Mapping[str, Any]
    exit_code: int


def _split(made: Path, files: int) -> Path:
    """A folder of so many files with the lines of one."""
    folder = made.with_suffix("")
    folder.mkdir()
    lines = made.read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(files):
        part = lines[number * len(lines) // files : (number + 1) * len(lines) // files]
        (folder / f"part-{number:05d}.jsonl").write_text("".join(part), encoding="utf-8")
    return folder


def _backfilled(folder: Path, config: AnnotateConfig, choice: AnnotatorChoice, *, started: float) -> _Run:
    make_store(config.store)
    policy = RetryPolicy()
    with open_lock(config, purpose="bioner bench pipeline") as lock:
        context = SyncContext(
            store=config.store, downloads=folder, lock=lock, run_id=new_run_id(), policy=policy, keep_downloads=True
        )
        with AnnotationSession(config, annotator=choice, started=started) as session:
            report = run_backfill(
                "bench",
                [PendingFile(one, ()) for one in list_place(str(folder), policy)],
                context=context,
                annotator=session,
                needs_md5=False,
                progress=SilentProgress(),
                max_reject_rate=config.max_reject_rate,
            )
            load = session.load
    seconds = sum(one.seconds for one in report.applied)
    return _Run(report.counts, round(seconds, 3), load, asdict(load) | report.as_json(), report.exit_code())


def _figures(point: Point, run: _Run, *, first_shard_seconds: float | None) -> PipelineFigures:
    load = run.load
    return PipelineFigures(
        annotator=point.annotator,
        actors=point.actors,
        document_sentences=point.document_sentences,
        documents=run.counts.annotated,
        sentences=run.counts.sentences,
        seconds=run.seconds,
        actor_busy_share=load.actor_busy_share,
        first_document_seconds=load.first_document_seconds,
        first_shard_seconds=first_shard_seconds,
        feeder_cpu_seconds=load.feeder_cpu_seconds,
        feeder_peak_memory=load.feeder_peak_memory,
        actor_peak_memory=load.actor_peak_memory,
        summary=run.summary,
        feeders=point.feeders,
    )


def _first_commit(store: Store) -> float | None:
    """When the first manifest was written, by the wall clock."""
    return min((path.stat().st_mtime for path in store.manifests.glob("[!.]*.json")), default=None)


def _machine() -> dict[str, object]:
    return {
        "processors": usable_processors(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


_MOST_DOCUMENTS = 5_000
"""Of the inputs; what comes after them would only make the bench start later."""

_CHINESE = "zh"


def write_bench_documents(
    inputs: Sequence[str], path: Path, *, documents: int, document_sentences: int | None = None
) -> None:
    """Write so many documents as JSON lines: the inputs' own ones over and over, as they are or of a given length.

    With `document_sentences` each is made of so many consecutive sentences of the inputs, in the language of the
    document whose place it takes.

    Raises:
        InputError: the inputs hold no document with a sentence, or cannot be read.
    """
    found = _documents(inputs)
    sentences: defaultdict[str, list[str]] = defaultdict(list)
    for document in found:
        for index, passage in enumerate(document.passages):
            sentences[passage.lang] += [one.text for one in split_passage(passage, index)]
    endless = {lang: cycle(texts) for lang, texts in sentences.items()}
    with path.open("w", encoding="utf-8") as stream:
        for number, document in enumerate(islice(cycle(found), documents)):
            lang = document.passages[0].lang
            texts = [passage.text for passage in document.passages]
            if document_sentences is not None:
                texts = list(islice(endless[lang], document_sentences))
            joined = ("" if lang == _CHINESE else " ").join(texts)
            stream.write(json.dumps({"id": f"bench-{number}", "text": joined, "lang": lang}, ensure_ascii=False) + "\n")


def _documents(inputs: Sequence[str]) -> list[Document]:
    found = list(islice((one for one in _all_documents(inputs) if _has_sentence(one)), _MOST_DOCUMENTS))
    if not found:
        raise InputError(f"{', '.join(inputs)}: hold no document with a sentence: name others")
    return found


def _all_documents(inputs: Sequence[str]) -> Iterator[Document]:
    for name in expand_inputs(inputs):
        yield from (record for record in read_records(name) if isinstance(record, Document))


def _has_sentence(document: Document) -> bool:
    return bool(document.passages) and bool(split_passage(document.passages[0], 0))
