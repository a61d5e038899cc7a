"""The work behind the verbs that annotate: from a user's config to committed shards."""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.errors import PoolError, StoreError, cause_of
from bioner_core.formats.folder_inputs import find_inputs
from bioner_core.formats.inputs import public_name
from bioner_core.formats.registry import reader_named
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.store.history.lock import Part, StoreLock
from bioner_core.store.history.model_notes import note_model
from bioner_core.store.layout import Store
from jobs.options.annotation import AnnotateConfig
from jobs.runs.annotator import MODEL, AnnotatorChoice, chosen_annotator
from jobs.runs.local_files import STANDARD_INPUT, with_standard_input
from jobs.runs.locking import held_lock
from jobs.runs.pool import (
    check_feeders,
    check_pool_options,
    connect_by_hand,
    feeder_places,
    in_pool_precision,
    join_pool,
    memory_limit,
    open_pool,
    planned_settings,
)
from jobs.runs.row_rates import guessed_rate, keep_rate, kept_rate, rate_key
from jobs.runs.store_precision import in_store_precision, pin_precision
from jobs.terminal.console import say, say_warning
from jobs.terminal.damage import tell_left_out
from jobs.terminal.process import interrupted_exit_code
from jobs.terminal.progress import ProgressBar
from pipelines.job import (
    DEFAULT_SHARD_RECORDS,
    AnnotationJob,
    decode_fingerprint,
    run_fingerprint,
)
from pipelines.job_report import renew_reports
from pipelines.metrics.metrics import JobPhase
from pipelines.plan import SHARD_SECONDS
from pipelines.pool.load import RunLoad, RunWatch, process_started
from pipelines.pool.pool_settings import ClientSettings
from pipelines.pool.service import AnnotationService, ServiceFactory
from pipelines.refinish import needs_no_model
from pipelines.summary import JobSummary
from pipelines.watch.live_note import WatchedPool, live_note
from pipelines.watch.metrics_page import JobPage
from pipelines.watch.progress import FirstDone, ProgressReporter, SilentProgress

if TYPE_CHECKING:
    from pipelines.feeders.file_end import FileEnd, Wanted
    from pipelines.feeders.files_ahead import FilesAhead
    from pipelines.feeders.ray_feeders import FeederPlaces
    from pipelines.pool.pool import Pool


def annotate_inputs(
    config: AnnotateConfig,
    *,
    annotator: AnnotatorChoice | None = None,
    page: JobPage | None = None,
    started: float | None = None,
) -> JobSummary:
    """Commit every shard of the inputs that is not committed yet; the rest is as in `AnnotationSession`.

    A job whose candidates are all stored already starts no Ray and loads no model.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        InputError: a pattern names no file, or a folder holds none that is read here; nothing was started.
        ModelError: the model or its base is not there, or a running pool holds another one.
        PoolError: the actors cannot be started, or the pool not be joined, or feeders are lost.
        RunnerError: the runner cannot be reached, or did not finish the job.
        StoreError: the store cannot be written, or another job is at work on it.
    """
    page = page or JobPage()
    page.enter(JobPhase.WAIT)
    with AnnotationSession(config, annotator=annotator, page=page, started=started) as session:
        # Files are looked for before the store is made, so that a typing error leaves none. Standard input is kept
        # in it.
        piped = STANDARD_INPUT in config.inputs
        found = None if piped else find_inputs(config.inputs, format_name=config.format_name)
        make_store(config.store)
        if found is None:
            inputs = with_standard_input(config.inputs, config.store)
            found = find_inputs(inputs, format_name=config.format_name)
        job = session.job(found.files)
        with open_lock(config, purpose="bioner annotate"):
            page.enter(JobPhase.ANNOTATE)
            return replace(session.run(job), unread=tuple(map(public_name, found.unread)))


def make_store(store: Store) -> None:
    """Make the folder of a store, unless it is there.

    Raises:
        StoreError: it cannot be made or written.
    """
    if store.is_remote:
        return  # there are no folders in a bucket; the lock, which is put first, tells whether it can be written
    try:
        store.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"--store: {store} cannot be made ({cause_of(error)}); name a folder that you can write"
        ) from error
    if not os.access(store.folder, os.W_OK):
        raise StoreError(f"--store: {store} cannot be written; name a folder that you can write")


@contextmanager
def open_lock(
    config: AnnotateConfig, *, purpose: str, run_id: str = "", part: Part | None = None
) -> Iterator[StoreLock]:
    """As `held_lock`; what is damaged in the store is told, and reports of runs that are damaged are made anew.

    Raises:
        StoreError: another job is at work on the store.
    """
    with held_lock(
        config.store, purpose=purpose, quiet=config.quiet, run_id=run_id, part=part, wait_seconds=config.wait
    ) as lock:
        tell_left_out(config.store)
        for renewed in renew_reports(config.store):
            say(f"note: {renewed}")
        yield lock


class AnnotationSession:
    """Runs one job after another on one pool, which is started, or joined, for the first job that needs a model.

    `annotator` is what the config names, or, for benches, another; `page` shows what the job does; `started` is the
    instant, by the monotonic clock, that the time to the first document counts from, else that at which the command
    began.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        ModelError: there is no such model.
        PoolError: the precision is to be that of a running pool, and there is none or it cannot be reached.
    """

    def __init__(
        self,
        config: AnnotateConfig,
        *,
        annotator: AnnotatorChoice | None = None,
        page: JobPage | None = None,
        started: float | None = None,
    ) -> None:
        self._config = config
        self._page = page or JobPage()
        self._started = process_started() if started is None else started
        asked = annotator or chosen_annotator(config)
        check_pool_options(config)
        self._pool_settings = planned_settings(config, config.ray)
        if config.pool is None:
            asked = replace(asked, on_gpu=self._pool_settings.gpus_per_actor > 0)
        self._client_settings = ClientSettings(token_budget=config.token_budget)
        memory_limit(config, self._pool_settings)  # it checks the option
        self._label_sets = tuple(LabelSetChoice(one.name, one.languages) for one in asked.label_sets)
        self._annotator = in_store_precision(in_pool_precision(asked, config), config.store)
        self._annotator_fingerprint = self._annotator.fingerprint()
        self._finish = FinishSettings.of(asked.thresholds(), document_pass=config.document_pass)
        self._rate_key = rate_key(self._annotator_fingerprint, self._pool_settings, pool=config.pool)
        self._shard_rows = self._rows_of_a_shard()
        self._opened = ExitStack()
        self._startup_seconds: float | None = None
        self._service_factory: ServiceFactory | None = None
        self._pool: Pool | None = None
        self._run_watch: RunWatch | None = None
        self.load = RunLoad()
        """What the last run that needed a model cost."""
        check_feeders(config)
        if config.format_name is not None:
            reader_named(config.format_name)
        self.job()  # its checks are those of the options

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Stop the pool, and Ray, if they were started for this session."""
        return self._opened.__exit__(kind, error, traceback)

    @property
    def run_fingerprint(self) -> str:
        """That of every job of this session."""
        return run_fingerprint(self._annotator_fingerprint, self._label_sets, finish=self._finish)

    @property
    def decode_fingerprint(self) -> str:
        """That part of it which candidates depend on."""
        return decode_fingerprint(self._annotator_fingerprint, self._label_sets)

    def job(self, inputs: Sequence[str] = ()) -> AnnotationJob:
        """The job for these inputs, by this session's options; without any where files or shards are named later."""
        config = self._config
        return AnnotationJob(
            inputs=tuple(inputs),
            store=config.store.absolute(),
            label_sets=self._label_sets,
            annotator_fingerprint=self._annotator_fingerprint,
            format_name=config.format_name,
            shard_records=DEFAULT_SHARD_RECORDS if config.shard_records is None else config.shard_records,
            shard_rows=self._shard_rows,
            max_reject_rate=config.max_reject_rate,
            runner=config.runner,
            pipeline_options=config.pipeline_options,
            carry_over=config.carry_over,
            finish=self._finish,
        )

    def annotate(self, input_file: str) -> JobSummary:
        """Run the job of one input.

        Raises:
            BionerError: as `run`.
        """
        return self.run(self.job([input_file]))

    def run(self, job: AnnotationJob) -> JobSummary:
        """Commit what is not committed yet; a job whose candidates are all stored starts no Ray and no model.

        Raises:
            ModelError: the model or its base is not there, or a running pool holds another one.
            ConfigurationError: the job has no inputs, the model does not know a label set, or Beam no such runner.
            PoolError: the actors cannot be started, or the pool not be joined, or feeders are lost.
            RunnerError: the runner cannot be reached, or did not finish the job.
            StoreError: the store cannot be written.
        """
        if needs_no_model(job):
            return _run(job, _no_service, SilentProgress())
        if (self._config.feeders or 1) > 1:
            summary = self._run_with_feeders(job)
        else:
            service_factory = self._begun(job)
            with self._bar as bar:
                progress = FirstDone(bar)
                summary = _run(job, service_factory, progress)
            self._note_load(progress)
        keep_rate(self._rate_key, rows=summary.rows_sent, seconds=summary.seconds)
        return replace(summary, load=self.load, precision=self._annotator.precision_in_words)

    def annotate_files(
        self, wanted: "Iterable[Wanted]", locate: "Callable[[Wanted], str]"
    ) -> "Generator[tuple[FileEnd[Wanted], JobSummary], None, None]":
        """Run the jobs of files as `FilesAhead.run` does: each is planned while those before it are annotated.

        Raises:
            BionerError: as `run`, or no node of a cluster sees the store.
        """
        job = self.job()
        with _interrupts_kept(), ExitStack() as opened:
            ahead: FilesAhead[Wanted] = self._files_ahead(job, opened)
            from pipelines.feeders.file_end import file_summary

            for end in opened.enter_context(closing(ahead.run(wanted, locate))):
                summary = file_summary(job, end)
                keep_rate(self._rate_key, rows=summary.rows_sent, seconds=summary.seconds)
                yield end, summary

    def _run_with_feeders(self, job: AnnotationJob) -> JobSummary:
        with _interrupts_kept(), ExitStack() as opened:
            ahead: FilesAhead[str] = self._files_ahead(job, opened)
            from pipelines.feeders.file_end import job_summary

            return job_summary(job, opened.enter_context(closing(ahead.run(job.inputs, str))))

    def _files_ahead(self, job: AnnotationJob, opened: ExitStack) -> "FilesAhead[Any]":
        """What does a job by feeders; its progress is shown from when they start until `opened` is left."""
        connect_by_hand()
        from pipelines.feeders.files_ahead import FilesAhead

        bar = self._bar
        progress = FirstDone(bar)

        def start() -> "FeederPlaces":
            places = feeder_places(job, self._begun(job), config=self._config)
            opened.enter_context(bar)
            return places

        ahead = FilesAhead[Any](
            job, start=start, progress=progress, tell=say_warning, at_end=lambda: self._note_load(progress, ahead)
        )
        return ahead

    @property
    def _bar(self) -> ProgressBar:
        return ProgressBar("records", quiet=self._config.quiet)

    def _begun(self, job: AnnotationJob) -> ServiceFactory:
        """What makes clients of the pool, which is started if need be; from here on the load is watched."""
        service_factory = self._connected()
        note_model(self._config.store, job.run_fingerprint, words=self._annotator.in_words())
        self._run_watch = RunWatch(self._pool)
        return service_factory

    def _note_load(self, progress: FirstDone, ahead: "FilesAhead[Any] | None" = None) -> None:
        if self._run_watch is None:
            return
        first = None if progress.at is None else progress.at - self._started
        load = self._run_watch.load(first, startup_seconds=self._startup_seconds)
        cpu_seconds, memory = (ahead.feeder_cpu_seconds, ahead.feeder_peak_memory) if ahead else (0.0, 0)
        self.load = replace(
            load,
            feeder_cpu_seconds=round((load.feeder_cpu_seconds or 0.0) + cpu_seconds, 3),
            feeder_peak_memory=max(load.feeder_peak_memory or 0, memory),
        )

    def service(self) -> AnnotationService:
        """A client of the pool, which is started for it if need be.

        Raises:
            ModelError, ConfigurationError, PoolError: as `run`.
        """
        return self._connected()()

    def _rows_of_a_shard(self) -> float:
        """The rows of about a minute's work; 0 where the size of a shard was given, or nothing is computed."""
        choice = self._annotator
        if self._config.shard_records is not None or choice.kind != MODEL:
            return 0.0
        # Feeders work on a shard each, and share the actors.
        seconds = SHARD_SECONDS / (self._config.feeders or 1)
        gpus = self._pool_settings.actors * self._pool_settings.gpus_per_actor
        return seconds * (kept_rate(self._rate_key) or guessed_rate(choice.precision_choice, choice.base, gpus=gpus))

    def _connected(self) -> ServiceFactory:
        if self._service_factory is None:
            self._annotator.check_ready()
            pin_precision(self._annotator, self._config.store)
            # Beam is needed when the actors are ready, and takes a second or two to import: meanwhile. Where that
            # fails, the import that needs it says why.
            threading.Thread(target=_import_beam, daemon=True).start()
            self._service_factory = self._start_pool()
            self._startup_seconds = time.monotonic() - self._started
        return self._service_factory

    def _start_pool(self) -> ServiceFactory:
        run = self._config
        if run.pool is not None:
            joined = join_pool(
                self._opened,
                run.pool,
                ray_address=run.ray,
                choice=self._annotator,
                client=self._client_settings,
                quiet=run.quiet,
            )
            self._watch(joined)
            return joined
        spec = self._annotator.spec(memory_limit(run, self._pool_settings))
        self._pool = open_pool(self._opened, self._pool_settings, spec=spec, quiet=run.quiet)
        self._watch(self._pool)
        return self._pool.client_factory(self._client_settings)

    def _watch(self, pool: WatchedPool) -> None:
        """Show how the actors are, as long as the pool is open."""
        self._page.follow(pool)
        self._opened.callback(self._page.let_go)
        self._opened.enter_context(live_note(self._config.store, pool))


def _run(job: AnnotationJob, service_factory: ServiceFactory, progress: ProgressReporter) -> JobSummary:
    from pipelines.annotate import run_annotation  # Beam takes most of a second to import

    with _interrupts_kept():
        return run_annotation(job, service_factory=service_factory, progress=progress)


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Within the block an interrupt stays one: Beam makes an error of whatever stops it, and so does its feeder."""
    from pipelines.beam_run import RunnerError
    from pipelines.feeders.feeder import FeederLostError

    try:
        yield
    except (RunnerError, FeederLostError) as error:
        if interrupted_exit_code() is not None:
            raise KeyboardInterrupt from error
        raise


def _import_beam() -> None:
    with suppress(Exception):
        import_module("pipelines.annotate")


def _no_service() -> AnnotationService:
    raise PoolError("the store changed while it was looked at: run the same command again")
