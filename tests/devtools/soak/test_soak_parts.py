"""The parts of the soak that would make it pass when it should not."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bioner_core.errors import AnnotatorOutOfMemoryError
from bioner_core.inference.annotation import AnnotationRequest, RowError
from bioner_core.inference.row_isolation import annotate_with_bisection
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.objects.object_path import ObjectPath
from devtools.object_service import BUCKET
from devtools.soak import processes
from devtools.soak.annotator import (
    POISON,
    CalmAnnotator,
    FaultyAnnotator,
    Order,
    give_order,
    sign_in,
    signed_in,
    take_order,
)
from devtools.soak.corpus import make_corpus
from devtools.soak.faults import FaultKind, shuffled_kinds
from devtools.soak.object_storage import StoreKind, object_storage
from devtools.soak.pool_runner import Orders
from devtools.soak.processes import MemorySamples, OrphanWatch
from devtools.soak.run import SoakSettings
from tests.stored_rows import reject_rows

pytestmark = pytest.mark.slow

ROWS = [AnnotationRequest(f"ka ro mi {number} ten plo", "invented") for number in range(8)]


def test_every_kind_of_fault_comes_as_often_as_any_other() -> None:
    """Would catch a soak of two hundred faults that are all of one kind."""
    kinds = list(shuffled_kinds(tuple(FaultKind), 200, randomness=random.Random(3)))
    assert set(Counter(kinds).values()) == {25}
    assert kinds != sorted(kinds)
    assert kinds == list(shuffled_kinds(tuple(FaultKind), 200, randomness=random.Random(3)))


def test_only_faults_that_have_a_victim_are_done(tmp_path: Path) -> None:
    """Would catch a soak of one feeder over folders that counts faults which nothing could feel."""
    plain = SoakSettings(faults=1, seed=1, output=tmp_path)
    everything = replace(plain, feeders=2, stores=tuple(StoreKind))
    assert set(everything.possible_kinds) - set(plain.possible_kinds) == {
        FaultKind.KILL_RAY_FEEDER,
        FaultKind.SPOIL_REQUESTS,
    }
    assert everything.possible_kinds == tuple(FaultKind)


def test_a_spoilt_request_is_spoilt_and_a_store_bears_it() -> None:
    """Would catch faults of storage that no request ever has, or a service that the soak leaves in the environment."""
    before = os.environ.get("AWS_ENDPOINT_URL")
    with object_storage() as storage:
        place = ObjectPath.of(f"s3://{BUCKET}/a/b")
        for number in range(12):
            storage.spoil(random.Random(number))
            assert storage.is_waiting
            place.put(str(number).encode())
            while storage.is_waiting:
                assert place.read_bytes() == str(number).encode()
            assert place.read_bytes() == str(number).encode()
        storage.spoil(random.Random(1))
        storage.forget()
        assert not storage.is_waiting
    assert os.environ.get("AWS_ENDPOINT_URL") == before


def test_the_poison_is_for_one_job() -> None:
    """Would catch two pools that take one poison, or a soak that ends before anybody took it."""
    orders = Orders()
    begun = orders.poison_next_job()
    orders.stop.set()
    assert orders.go_on
    assert [orders.take_poison(), orders.take_poison()] == [True, False]
    assert begun.is_set()
    assert not orders.go_on


def test_an_order_is_obeyed_once(tmp_path: Path) -> None:
    """Would catch one order that two actors obey, or that is counted as a fault and never taken."""
    waiting = give_order(tmp_path, Order.SLEEP)
    assert waiting.exists()
    assert take_order(tmp_path) is Order.SLEEP
    assert take_order(tmp_path) is None
    assert not waiting.exists()


def test_actors_sign_in_with_their_feeder(tmp_path: Path) -> None:
    """Would catch faults that are done to actors of a feeder that is long dead."""
    sign_in(tmp_path, 3)
    assert signed_in(tmp_path) == [(3, os.getpid())]


@pytest.mark.parametrize("order", [Order.SAY_FULL, Order.ALLOCATE])
def test_scarcity_is_real_and_answers_are_as_without_it(tmp_path: Path, order: Order) -> None:
    """Would catch an out-of-memory fault that fails nothing, or changes the answers that the soak compares."""
    faulty = FaultyAnnotator(tmp_path, 0.0)
    give_order(tmp_path, order)
    with pytest.raises((AnnotatorOutOfMemoryError, MemoryError)):
        faulty.annotate(ROWS)
    assert annotate_with_bisection(faulty, ROWS) == CalmAnnotator().annotate(ROWS)
    assert faulty.annotate(ROWS) == CalmAnnotator().annotate(ROWS)


def test_the_corpus_is_annotated_with_and_without_poison(tmp_path: Path) -> None:
    """Would catch a soak over texts without mentions, or whose poisoned files have no poison."""
    calm, poisoned = make_corpus(tmp_path, seed=5, files=1)
    assert (calm.poisoned, poisoned.poisoned) == (False, True)
    assert POISON not in calm.path.read_text()
    assert poisoned.path.read_text().count(POISON) == 1
    (row,) = reject_rows(poisoned.calm_store)
    assert not row.whole_record
    assert list(reject_rows(calm.calm_store)) == []
    assert any(store_differences(calm.calm_store, poisoned.calm_store))
    (error,) = CalmAnnotator().annotate([AnnotationRequest(f"ka {POISON}", "invented")])
    assert isinstance(error, RowError)


def test_memory_that_grows_shows() -> None:
    """Would catch a leak that an average over the whole soak hides."""
    samples = MemorySamples()
    for job in range(100):
        samples.note("feeder", 1, job=job, megabytes=100.0 + job)
        samples.note("actor", job // 10, job=job, megabytes=50.0)
    samples.note("actor", 99, job=100, megabytes=None)
    found = samples.as_json()
    assert (found["feeder"]["first_tenth_mb"], found["feeder"]["last_tenth_mb"]) == (104.5, 194.5)
    assert (found["feeder"]["longest_life_samples"], found["feeder"]["processes"]) == (100, 1)
    assert found["actor"]["last_tenth_mb"] == found["actor"]["peak_mb"] == 50.0
    assert found["actor"]["processes"] == 10


_PARENT = """
import subprocess, sys
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(sleep, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid, flush=True)
"""


def test_an_orphan_is_found_and_a_child_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a watch that sees no orphan, or takes every process of the soak for one."""
    monkeypatch.setattr(processes, "_UNOWNED_SECONDS", 0.2)
    monkeypatch.setenv("BIONER_SOAK", "")
    watch = OrphanWatch(processes.mark_this_process())
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    parent = subprocess.run([sys.executable, "-c", _PARENT], capture_output=True, text=True, check=True)
    orphan = psutil.Process(int(parent.stdout))
    try:
        watch.look(unwanted=())
        time.sleep(0.5)
        watch.look(unwanted=())
        assert [line.split()[0] for line in watch.found] == [str(orphan.pid)]
        watch.look(unwanted={child.pid})
        time.sleep(0.5)
        watch.look(unwanted={child.pid})
        assert {line.split()[0] for line in watch.found} == {str(orphan.pid), str(child.pid)}
    finally:
        orphan.kill()
        child.kill()
        child.wait()
    watch.found.clear()
    watch.await_none()
    assert watch.found == []
