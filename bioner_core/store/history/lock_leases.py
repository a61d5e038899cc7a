"""Claims of a store on object storage: one object per name, the lease; it is changed only if it is as it was
last read.

A put on condition of an e-tag is one step of the service, so of all takers of a lease exactly one goes on. Who holds it
puts it anew now and then (`renew`); its age is told by the clock of the service, which stamps both the lease and a
probe put beside it. Every holder has an epoch of its own, and commits through its fence (`objects.fence`).
"""

import contextlib
import json
import secrets
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase

from bioner_core.errors import StoreError
from bioner_core.process_identity import has_ended, is_of_this_boot
from bioner_core.store.history.lock_claims import Claim, PlacedClaim
from bioner_core.store.layout import Store
from bioner_core.store.objects import requests
from bioner_core.store.objects.fence import Fence, lower_fence, raise_fence
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.typed_json import loaded_json, typed


@dataclass(frozen=True, slots=True)
class PlacedLease(PlacedClaim):
    """A lease as it was read or put: `modified` is when, in seconds by the clock of the service."""

    e_tag: str = ""
    epoch: str = ""
    modified: float = 0.0


class ObjectClaims:
    """`Claims` on object storage."""

    poll_seconds = 2.0

    def __init__(self, store: Store) -> None:
        root, locks = store.root, store.locks
        if not isinstance(root, ObjectPath) or not isinstance(locks, ObjectPath):
            raise TypeError(f"{store} is in a folder")
        self._root, self._locks = root, locks
        self._mine: PlacedLease | None = None
        self._fence: Fence | None = None
        self._beats = 0
        self._renewing = threading.Lock()

    def latest(self, name: str) -> PlacedLease | None:
        """The lease of a name, or None when nobody ever held it.

        Raises:
            StoreError: it cannot be read.
        """
        path = self._locks / f"{name}.json"
        try:
            found = requests.get(path.bucket, path.key)
        except FileNotFoundError:
            return None
        claim, epoch = _parsed(found.content)
        return PlacedLease(path, claim, found.e_tag, epoch, found.modified)

    def names(self, pattern: str) -> list[str]:
        """The names like a glob pattern that were ever claimed, whoever holds them now.

        Raises:
            StoreError: the leases cannot be listed.
        """
        found = [path.name for path, _ in self._locks.listed_here()]
        names = (name.removesuffix(".json") for name in found if name.endswith(".json"))
        return sorted(name for name in names if fnmatchcase(name, pattern))

    def is_live(self, placed: PlacedClaim, *, lease_seconds: float) -> bool:
        """Whether somebody still works under a lease.

        A holder of this host is asked for; any other one is believed dead when it has not renewed its lease for
        `lease_seconds`, by the clock of the service.

        Raises:
            StoreError: the service cannot be asked for its time.
        """
        if placed.claim is not None and not placed.claim.held:
            return False
        if placed.claim is not None and is_of_this_boot(placed.claim.holder):
            return not has_ended(placed.claim.holder)
        modified = placed.modified if isinstance(placed, PlacedLease) else 0.0
        return self._service_time() - modified < lease_seconds

    def place(self, name: str, claim: Claim, *, after: PlacedClaim | None) -> PlacedLease | None:
        """Take the lease that was read as `after`; None when somebody else was faster.

        Raises:
            StoreError: the store cannot be written.
        """
        path, epoch = self._locks / f"{name}.json", secrets.token_hex(8)
        e_tag = self._put(path, claim, epoch, e_tag=after.e_tag if isinstance(after, PlacedLease) else "")
        if not e_tag:
            return None
        fence, placed = self._fence_of(name, epoch), PlacedLease(path, claim, e_tag, epoch)
        try:
            # Invariant: nobody works under a new epoch before the commits of all others are shut out.
            self._shut_out(fence.commits, but=epoch)
        except BaseException:
            # Whoever asks next, this process too, would find a job at work that never began.
            with contextlib.suppress(StoreError):
                self._renewed(placed, replace(claim, held=False))
            raise
        raise_fence(fence)
        self._fence, self._mine = fence, placed
        return self._mine

    def is_ours(self, name: str, placed: PlacedClaim) -> bool:
        """Whether the lease is still of the epoch that was placed here."""
        latest = self.latest(name)
        held = latest is not None and latest.claim is not None and latest.claim.held
        return held and latest is not None and isinstance(placed, PlacedLease) and latest.epoch == placed.epoch

    def renew(self, placed: PlacedClaim) -> None:
        """Put the lease anew, unless it is lost: then whoever checks says so.

        Raises:
            StoreError: the service does not answer, or refuses.
        """
        with self._renewing:
            mine = self._mine
            if mine is not None and mine.claim is not None:
                self._mine = self._renewed(mine, mine.claim)

    def revoke(self, placed: PlacedClaim) -> bool:
        """Take the lease of a dead holder of another name, free it, and shut out its commits.

        Raises:
            StoreError: the store cannot be written.
        """
        if not isinstance(placed, PlacedLease) or not isinstance(placed.path, ObjectPath):
            return False
        if placed.claim is not None and placed.claim.held:
            freed = replace(placed.claim, held=False)
            if not self._put(placed.path, freed, secrets.token_hex(8), e_tag=placed.e_tag):
                return False
        # Of a free lease too: whoever freed it may have failed before the commits of its holder were shut out.
        self._shut_out(self._fence_of(placed.path.stem, "").commits)
        return True

    def free(self, placed: PlacedClaim, claim: Claim) -> None:
        """Give the lease back. Where that fails it stays, and ends with its process."""
        fence, self._fence = self._fence, None
        with self._renewing:
            mine, self._mine = self._mine, None
        if fence is not None:
            lower_fence(fence)
        with contextlib.suppress(StoreError):
            if fence is not None:
                self._shut_out(f"{fence.commits}/{fence.epoch}")
            if mine is not None:
                self._renewed(mine, replace(claim, held=False))

    def _renewed(self, mine: PlacedLease, claim: Claim) -> PlacedLease | None:
        """Our lease, put anew with this claim; None where it is another holder's."""
        if not isinstance(mine.path, ObjectPath):
            return None
        for _ in range(2):
            e_tag = self._put(mine.path, claim, mine.epoch, e_tag=mine.e_tag)
            if e_tag:
                return replace(mine, e_tag=e_tag)
            # Race: an earlier put of ours may have been done though its answer was lost, and no other one was had in
            # time. The lease has our epoch then, and another e-tag.
            found = self.latest(mine.path.stem)
            if found is None or found.epoch != mine.epoch:
                return None
            mine = replace(mine, e_tag=found.e_tag)
        return mine

    def _fence_of(self, name: str, epoch: str) -> Fence:
        return Fence(self._root.bucket, self._root.key, self._locks.key, name, epoch)

    def _put(self, path: ObjectPath, claim: Claim, epoch: str, *, e_tag: str) -> str:
        self._beats += 1
        content = json.dumps(asdict(claim) | {"epoch": epoch, "beat": self._beats}) + "\n"
        return requests.put_if(path.bucket, path.key, content=content.encode(), e_tag=e_tag)

    def _shut_out(self, folder: str, *, but: str = "") -> None:
        """Remove what others may commit through; `but` is the epoch that stays."""
        found: Sequence[requests.Listed] = requests.below(self._root.bucket, folder)
        others = [one.key for one in found if not but or not one.key.startswith(f"{folder}/{but}/")]
        requests.delete(self._root.bucket, others)

    def _service_time(self) -> float:
        probe = self._locks / f".clock.{secrets.token_hex(4)}"
        probe.put(b"-")
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink()


def _parsed(content: bytes) -> tuple[Claim | None, str]:
    try:
        flat = loaded_json(content.decode())
        epoch = typed(str, flat.pop("epoch"))
        flat.pop("beat")
        return typed(Claim, flat), epoch
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, ""
