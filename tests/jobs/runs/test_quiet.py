"""What --quiet silences: how far the work is, and no fault."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bioner_core.store.layout import Store
from jobs.options.annotation import AnnotateConfig
from jobs.runs.pool import open_pool
from jobs.runs.session import AnnotationSession
from pipelines.feeders import files_ahead
from pipelines.pool import pool, ray_session
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.service import AnnotatorSpec


@contextmanager
def no_ray(_: PoolSettings) -> Iterator[str]:
    """A Ray that nobody needs."""
    yield "127.0.0.1:1"


@contextmanager
def ailing_pool(
    _: PoolSettings, __: AnnotatorSpec, *, tell: Callable[[str], None], warn: Callable[[str], None]
) -> Iterator[None]:
    """A pool of which one actor never comes up."""
    tell("2 of 3 actors are ready")
    warn("the actor bioner-annotator-2 failed to start 3 times in a row")
    yield


@pytest.mark.parametrize("quiet", [True, False])
def test_a_quiet_command_tells_of_actors_that_do_not_come_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    """Catches --quiet in a crontab that hides why a night takes three times as long."""
    monkeypatch.setattr(ray_session, "ray_session", no_ray)
    monkeypatch.setattr(pool, "start_pool", ailing_pool)
    with ExitStack() as opened:
        open_pool(opened, PoolSettings(actors=3), spec=AnnotatorSpec("module:function"), quiet=quiet)
    said = capsys.readouterr().err
    assert "warning: the actor bioner-annotator-2 failed to start 3 times in a row\n" in said
    assert ("2 of 3 actors are ready" in said) == (not quiet)
    assert quiet == (said.count("\n") == 1)


class LosesAFeeder:
    """Stands for `FilesAhead`: one feeder is lost, and there is nothing to do."""

    def __init__(self, *_: object, tell: Callable[[str], None], **__: object) -> None:
        tell("a feeder was lost (its node is gone): another one is started")

    def __class_getitem__(cls, _: object) -> type["LosesAFeeder"]:
        return cls

    def run(self, *_: object) -> Iterator[None]:
        """No file."""
        yield from ()


def test_a_quiet_command_tells_of_lost_feeders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches nodes of a cluster that die one after another while a quiet backfill says nothing."""
    monkeypatch.setattr(files_ahead, "FilesAhead", LosesAFeeder)
    session = AnnotationSession(AnnotateConfig(store=Store(tmp_path), kind="null", quiet=True))
    with session:
        assert list(session.annotate_files([], str)) == []
    assert capsys.readouterr().err.startswith("warning: a feeder was lost")
