"""Leases on object storage: one holder, takeovers by the service's clock, parts side by side."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from bioner_core.errors import StoreError
from bioner_core.store.history.lock import Part, StoreLock, live_claims
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath


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
