"""Leases on object storage: one holder, takeovers by the service's clock, parts side by side."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from bioner_core.errors import ObjectStorageError, StoreError
from bioner_core.process_identity import this_process
from bioner_core.store.history.lock import Part, StoreLock, live_claims
from bioner_core.store.history.lock_claims import Claim
from bioner_core.store.history.lock_leases import ObjectClaims
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from devtools.object_service import Asked, Fault, ObjectService


def lease_of(store: Store, name: str = "store") -> ObjectPath:
    """The object of a lease."""
    path = store.locks / f"{name}.json"
    assert isinstance(path, ObjectPath)
    return path


def changed(store: Store, **holder: object) -> None:
    """Write another holder into the lease of the store."""
    flat = json.loads(lease_of(store).read_text())
    flat["holder"] |= holder
    lease_of(store).put(json.dumps(flat).encode())


def test_one_job_holds_a_store_and_the_next_one_is_told_who(object_store: Store) -> None:
    """Catches two jobs on one store, and a refusal that does not say who is at work."""
    with StoreLock(object_store, purpose="the first", run_id="r1"):
        assert [claim.purpose for claim in live_claims(object_store)] == ["the first"]
        with pytest.raises(StoreError, match=r"another job is at work on this store \(the first, run r1"):
            StoreLock(object_store, purpose="second").__enter__()
    assert live_claims(object_store) == []
    with StoreLock(object_store, purpose="second") as lock:
        assert lock.took_over == ""
        lock.check()


def test_a_holder_elsewhere_is_dead_when_the_service_s_clock_says_so(
    object_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a lease that is measured by the clock of a host, which may be minutes or years off."""
    lock = StoreLock(object_store, purpose="elsewhere", heartbeat_seconds=3600)
    with lock:
        changed(object_store, host="elsewhere")

        class Late(datetime):
            """The clock of a host that is a year ahead."""

            @classmethod
            def now(cls, tz: object = None) -> datetime:
                return datetime.now(UTC) + timedelta(days=365)

        monkeypatch.setattr("bioner_core.store.history.lock.datetime", Late)
        monkeypatch.setattr(time, "time", lambda: datetime.now(UTC).timestamp() + 3e7)
        with pytest.raises(StoreError, match="another job"):
            StoreLock(object_store, purpose="taker", lease_seconds=60).__enter__()
        time.sleep(2.1)
        with StoreLock(object_store, purpose="taker", lease_seconds=1) as taker:
            assert "elsewhere" in taker.took_over
            with pytest.raises(StoreError, match="lost its lock"):
                lock.check()
            taker.check()


def test_another_host_of_the_same_name_is_not_taken_for_a_dead_process(object_store: Store) -> None:
    """Catches two machines called `worker-0`, of which each believes that the other's job has ended."""
    with StoreLock(object_store, purpose="other", heartbeat_seconds=3600):
        changed(object_store, host=socket.gethostname(), pid=2**22, birth="another-boot:1")
        with pytest.raises(StoreError, match="another job"):
            StoreLock(object_store, purpose="taker", lease_seconds=60).__enter__()


def test_a_lease_is_renewed(object_store: Store) -> None:
    """Catches a job of an hour that counts as dead after a quarter."""
    with StoreLock(object_store, purpose="long", heartbeat_seconds=0.05) as lock:
        before = lease_of(object_store).stat().mark
        for _ in range(100):
            time.sleep(0.05)
            if lease_of(object_store).stat().mark != before:
                break
        assert lease_of(object_store).stat().mark != before
        lock.check()


def test_parts_work_side_by_side_and_a_whole_job_waits_for_them(object_store: Store) -> None:
    """Catches parts of a backfill that shut each other out, or a compaction that runs beside one."""
    with (
        StoreLock(object_store, purpose="one", part=Part(1, 2)) as one,
        StoreLock(object_store, purpose="two", part=Part(2, 2)) as two,
    ):
        with pytest.raises(StoreError, match="another job"):
            StoreLock(object_store, purpose="whole").__enter__()
        with pytest.raises(StoreError, match="another job"):
            StoreLock(object_store, purpose="other split", part=Part(1, 3)).__enter__()
        one.check()
        two.check()
    with StoreLock(object_store, purpose="whole"):
        pass


def test_a_dead_part_cannot_come_back_beside_a_whole_job(object_store: Store) -> None:
    """Catches a paused part whose lease nobody took over, since a job of the whole store has another name."""
    with StoreLock(object_store, purpose="part", part=Part(1, 2), heartbeat_seconds=3600) as part:
        path = lease_of(object_store, "part-1-of-2")
        flat = json.loads(path.read_text())
        flat["holder"]["host"] = "elsewhere"
        path.put(json.dumps(flat).encode())
        time.sleep(2.1)
        with StoreLock(object_store, purpose="whole", lease_seconds=1), pytest.raises(StoreError, match="lost"):
            part.check()


def claim_of_this_process() -> Claim:
    """A claim of a job of this process."""
    return Claim(this_process(), "r1", "long job", "2026-01-01")


def lose_an_answer(service: ObjectService) -> None:
    """The next put of the lease is done and its answer is lost; from then on the service is away."""
    away = False

    def fault(asked: Asked) -> Fault | None:
        nonlocal away
        if away:
            return Fault(status="503 Slow Down")
        if asked.method == "PUT" and asked.key.endswith("locks/store.json"):
            away = True
            return Fault(done=True)
        return None

    service.fault = fault


@pytest.mark.usefixtures("no_pauses")
def test_a_heartbeat_whose_answer_was_lost_is_not_the_last_one(
    object_store: Store, object_service: ObjectService
) -> None:
    """Catches a living job that renews its lease no more after one lost answer and a short outage: another machine
    takes its store over, and its hours of work cannot be committed."""
    claims = ObjectClaims(object_store)
    placed = claims.place("store", claim_of_this_process(), after=None)
    assert placed is not None
    lose_an_answer(object_service)
    with pytest.raises(ObjectStorageError):
        claims.renew(placed)
    object_service.fault = lambda _: None
    marks = []
    for _ in range(2):
        claims.renew(placed)
        marks.append(lease_of(object_store).stat().mark)
    assert marks[0] != marks[1]
    assert claims.is_ours("store", placed)
    claims.free(placed, claim_of_this_process())


@pytest.mark.usefixtures("no_pauses")
def test_a_lease_is_given_back_after_a_heartbeat_whose_answer_was_lost(
    object_store: Store, object_service: ObjectService
) -> None:
    """Catches a store that the next job of the same process cannot have, since the lease of the first one stays."""
    claims, claim = ObjectClaims(object_store), claim_of_this_process()
    placed = claims.place("store", claim, after=None)
    assert placed is not None
    lose_an_answer(object_service)
    with pytest.raises(ObjectStorageError):
        claims.renew(placed)
    object_service.fault = lambda _: None
    claims.free(placed, claim)
    assert live_claims(object_store) == []


@pytest.mark.usefixtures("no_pauses")
def test_a_lock_that_could_not_be_taken_whole_is_free(object_store: Store, object_service: ObjectService) -> None:
    """Catches a lease that stays held by a job that never began, because the service refused the step after its put."""
    refused = False

    def fault(asked: Asked) -> Fault | None:
        nonlocal refused
        refused = refused or asked.listing
        return Fault(status="403 Forbidden") if asked.listing else None

    object_service.fault = fault
    with pytest.raises(StoreError):
        ObjectClaims(object_store).place("store", claim_of_this_process(), after=None)
    object_service.fault = lambda _: None
    assert refused
    assert live_claims(object_store) == []


@pytest.mark.usefixtures("no_pauses")
def test_a_dead_part_that_was_freed_by_half_is_shut_out_by_the_next_job(
    object_store: Store, object_service: ObjectService
) -> None:
    """Catches a part that wakes and commits beside a job of the whole store: its lease was freed, and the service
    refused the removal of what it commits through."""
    with StoreLock(object_store, purpose="part", part=Part(1, 2), heartbeat_seconds=3600):
        (object_store.plans / "a.json").commit(b"{}")  # type: ignore[union-attr]  # it is an object
        slots = object_store.locks / "commits" / "part-1-of-2"
        assert slots.is_dir()
        claims = ObjectClaims(object_store)
        placed = claims.latest("part-1-of-2")
        assert placed is not None
        object_service.fault = lambda asked: Fault(status="403 Forbidden") if asked.listing else None
        with pytest.raises(StoreError):
            claims.revoke(placed)
        object_service.fault = lambda _: None
        freed = claims.latest("part-1-of-2")
        assert freed is not None
        assert claims.revoke(freed)
        assert not slots.is_dir()
    with StoreLock(object_store, purpose="whole") as lock:
        lock.check()
