"""Fixtures that every test may use."""

import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bioner_core.store.layout import Store
from bioner_core.store.objects import connection, requests
from bioner_core.store.objects.object_path import ObjectPath
from devtools.object_service import BUCKET, ObjectService, environment_of, started_service

# Tests assert no times: on a busy machine any example may take long, and drawing one too.
settings.register_profile("bioner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bioner")

# Small matrices: threads that wait for each other on busy cores cost more than they bring.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script Ctrl-C is ignored, and the processes that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent

_ACTORS = "actors"
_FOLDER_AND_OLD = pytest.StashKey[tuple[str, str | None]]()
"""The folder for temporary files, and what TMPDIR was before."""


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of gold corpora and real dumps; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("BIONER_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "DESIGN.md").is_file():
        pytest.skip("needs the shared corpora and dumps: set BIONER_SHARED to their folder")
    return folder


@pytest.fixture(autouse="MUTANT_UNDER_TEST" in os.environ)
def _fresh_caches() -> None:
    """Mutants are tested in copies of one process that has run the tests before: cached answers would hide them."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bioner_core"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """A bucket of a real S3 protocol on loopback, empty at first; the environment names its service."""

    url: str
    client: Any

    def put(self, key: str, content: bytes) -> None:
        """Make an object."""
        self.client.put_object(Bucket=self.url.removeprefix("s3://"), Key=key, Body=content)


@pytest.fixture
def s3_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Bucket]:
    """A bucket served by moto."""
    server = pytest.importorskip("moto.server", reason="moto's server is not installed")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    told = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "secret-of-nobody",
        "AWS_REGION": "us-east-1",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=told["AWS_ENDPOINT_URL"], region_name="us-east-1")
    client.create_bucket(Bucket="dumps")
    yield S3Bucket("s3://dumps", client)
    running.stop()


@pytest.fixture
def object_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectService]:
    """An S3 service on loopback with an empty bucket, which the environment names; faults can be put into it."""
    pytest.importorskip("moto.server", reason="moto's server is not installed")
    service, server = started_service()
    for name, value in environment_of(service.url).items():
        monkeypatch.setenv(name, value)
    yield service
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to object storage that fails is the last try."""
    for module in (connection, requests):
        monkeypatch.setattr(module, "PAUSES", ())


@pytest.fixture
def object_store(object_service: ObjectService) -> Store:
    """A store on it that is not there yet."""
    return Store(ObjectPath.of(f"s3://{BUCKET}/some/store"))


def pytest_configure(config: pytest.Config) -> None:
    """One folder for all that tests and their processes leave among temporary files; it goes when they end.

    Its path is short: Ray's sockets are below it. What pytest keeps of tests that failed stays where it always is.
    """
    if hasattr(config, "workerinput"):
        return  # a worker has the folder from the process that started it
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="bt-")
    config.stash[_FOLDER_AND_OLD] = (folder, os.environ.get("TMPDIR"))
    os.environ["TMPDIR"] = tempfile.tempdir = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove that folder."""
    if _FOLDER_AND_OLD not in config.stash:
        return
    folder, old = config.stash[_FOLDER_AND_OLD]
    tempfile.tempdir = None
    os.environ.pop("TMPDIR")
    if old is not None:
        os.environ["TMPDIR"] = old
    if any(Path(folder).glob("pymp-*")):  # multiprocessing removes its own when the process ends, and must find it
        Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=-200)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int) -> None:
    """Say where the files of failed tests are."""
    if exitstatus == pytest.ExitCode.TESTS_FAILED:
        terminalreporter.write_line(f"files of failed tests: {os.environ['PYTEST_DEBUG_TEMPROOT']}/pytest-of-*")


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers: the tests of a file stay on one, and so do those whose actors import `importable_fakes`.

    Those start a Ray per module, which is slow beside another one, and mostly wait: there is room for all others. They
    begin first, then files by the longest time that a test is allowed: what begins last runs while other workers idle.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    longest = {_ACTORS: math.inf}
    for item in items:
        group = _group_of(item)
        item.add_marker(pytest.mark.xdist_group(group))
        allowed = item.get_closest_marker("timeout")
        longest[group] = max(longest.get(group, 0.0), float(allowed.args[0]) if allowed else 0.0)
    items.sort(key=lambda item: -longest[_group_of(item)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Groups must be at work: pytest-xdist writes them behind the names of tests, and pytest 9.2 keeps names elsewhere.

    Without them each module's fixtures are made by every worker, and two Rays run at once.
    """
    if node.config.getvalue("dist") == "loadgroup" and not all("@" in one for one in ids[:1]):
        pytest.exit("this pytest and pytest-xdist do not group tests: take those of constraints.txt", returncode=4)


def _group_of(item: pytest.Item) -> str:
    return _ACTORS if "importable_fakes" in getattr(item, "fixturenames", ()) else item.nodeid.split("::")[0]
