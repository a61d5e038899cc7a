"""An interrupt stays one, whatever Beam and its feeders make of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bioner_core.store.layout import Store
from jobs.options.annotation import AnnotateConfig
from jobs.runs import session as module
from jobs.runs.session import AnnotationSession
from pipelines import annotate
from pipelines.beam_run import RunnerError
from pipelines.feeders import files_ahead
from pipelines.feeders.feeder import FeederLostError


class StoppedFeeder:
    """Stands for `FilesAhead`: the feeder in this process is stopped."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __class_getitem__(cls, _: object) -> type["StoppedFeeder"]:
        return cls

    def run(self, *_: object) -> Iterator[None]:
        """No file."""
        raise FeederLostError("the pipeline was stopped")
        yield


def stopped_runner(*_: object, **__: object) -> None:
    """Stands for `run_annotation`: the runner is stopped."""
    raise RunnerError("the runner did not finish the job")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnnotationSession:
    """A session whose runner and feeders are stopped, and that needs no model."""
    monkeypatch.setattr(files_ahead, "FilesAhead", StoppedFeeder)
    monkeypatch.setattr(annotate, "run_annotation", stopped_runner)
    monkeypatch.setattr(module, "needs_no_model", lambda _: True)
    return AnnotationSession(AnnotateConfig(store=Store(tmp_path), kind="null", quiet=True))


def test_what_stops_the_work_is_told(session: AnnotationSession) -> None:
    """Catches a fault that is taken for an interrupt, and never told."""
    with pytest.raises(RunnerError):
        session.annotate("in.xml")
    with pytest.raises(FeederLostError):
        list(session.annotate_files([], str))


def test_an_interrupt_is_no_fault_of_the_runner(session: AnnotationSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches Ctrl-C that ends a command with Beam's words, or a backfill that enters it in the ledger as a failure."""
    monkeypatch.setattr(module, "interrupted_exit_code", lambda: 130)
    with pytest.raises(KeyboardInterrupt):
        session.annotate("in.xml")
    with pytest.raises(KeyboardInterrupt):
        list(session.annotate_files([], str))
