"""The fence of a lease: a process that was paused, lost its lease and wakes cannot commit, since the service refuses.

A check before a write leaves a moment between the two, in which a process may be paused for an hour. So a commit is a
copy of an object that whoever takes the lease over removes:

1. Each writing process puts an object of its own below `locks/commits/<lease>/<epoch>/`, then makes sure that the lease
   is still of this epoch.
2. To commit, it puts the new content there, on condition that its object is as it left it, and has the service copy it
   to its final key.
3. Whoever takes the lease over writes an epoch of its own into it, and then removes all below
   `locks/commits/<lease>/` that is of other epochs.

If the removal comes before 2, the put or the copy fails; if it comes after, the commit came before the lease was lost.
An epoch is given to one holder alone.
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass, field

from bioner_core.errors import StoreError
from bioner_core.store.objects import requests
from bioner_core.typed_json import loaded_json

COMMITS = "commits"
"""The folder below `locks` that has the objects of those who may commit."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Fence:
    """What a holder may commit through: the lease `name` of `epoch` on the store at `root` in `bucket`.

    `locks` is the key of the folder of its leases. Several threads may commit through one.
    """

    bucket: str
    root: str
    locks: str
    name: str
    epoch: str
    _slot: "_Slot" = field(default_factory=lambda: _Slot(), repr=False, compare=False)

    @property
    def lease_key(self) -> str:
        """The key of the lease."""
        return f"{self.locks}/{self.name}.json"

    @property
    def commits(self) -> str:
        """Where the objects of this lease's holders are."""
        return f"{self.locks}/{COMMITS}/{self.name}"

    def put(self, key: str, content: bytes) -> None:
        """Put an object in place of any other, unless the lease is lost.

        Raises:
            StoreError: it is lost; nothing was written.
            ObjectStorageError: the service does not answer, or refuses.
        """
        with self._slot.lock:
            try:
                self._stage(content)
                asked = requests.copy(self.bucket, source=self._slot.key, target=key)
            except FileNotFoundError:
                raise self._lost() from None
            except BaseException:
                self._slot.e_tag = ""  # what was asked may be done later, as below
                raise
            if asked > 1:
                # Race: a copy whose answer was lost may be done later, when another content stands in its source. So
                # that source is never used again.
                self._retire()

    def check(self) -> None:
        """Make sure that the lease is still of this epoch.

        Raises:
            StoreError: it is lost.
            ObjectStorageError: the service does not answer, or refuses.
        """
        try:
            lease = loaded_json(requests.get(self.bucket, self.lease_key).content.decode())
        except (FileNotFoundError, ValueError):
            lease = {}
        if (lease.get("epoch"), lease.get("held")) != (self.epoch, True):
            raise self._lost()

    def _stage(self, content: bytes) -> None:
        digest = hashlib.sha256(content).digest()
        # Race: a put whose answer was lost may be done later, if the object is as it was before. So no content is ever
        # staged twice in one object.
        if self._slot.e_tag and digest in self._slot.staged:
            self._retire()
        if not self._slot.e_tag:
            self._open_slot(content)
        else:
            self._slot.e_tag = requests.put_if(self.bucket, self._slot.key, content=content, e_tag=self._slot.e_tag)
            if not self._slot.e_tag:
                raise self._lost()
        self._slot.staged.add(digest)

    def _open_slot(self, content: bytes) -> None:
        self._slot.key = f"{self.commits}/{self.epoch}/{secrets.token_hex(8)}"
        self._slot.staged.clear()
        self._slot.e_tag = requests.put_if(self.bucket, self._slot.key, content=content, e_tag="")
        try:
            # Race: the lease may have been taken over before the object above was there to be removed. Whoever took
            # it over wrote its own epoch first, which is seen here.
            self.check()
        except StoreError:
            self._retire()
            raise

    def _retire(self) -> None:
        self._slot.e_tag = ""
        requests.delete(self.bucket, [self._slot.key])

    def _lost(self) -> StoreError:
        self._slot.e_tag = ""
        return StoreError(
            f"{self.bucket}/{self.root}: this job lost its lock on the store, and nothing more can be committed by it. "
            "What is committed stays; run the same command again"
        )


@dataclass(slots=True)
class _Slot:
    """The object of this process that commits are copied from; without an e-tag there is none."""

    key: str = ""
    e_tag: str = ""
    staged: set[bytes] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


_held: dict[tuple[str, str], Fence] = {}
"""The fences of this process, by bucket and root of the store."""


def raise_fence(fence: Fence) -> None:
    """From here on this process writes to that store under this lease."""
    _held[fence.bucket, fence.root] = fence


def lower_fence(fence: Fence) -> None:
    """The lease was given back."""
    if _held.get((fence.bucket, fence.root)) == fence:
        del _held[fence.bucket, fence.root]


def fence_of(bucket: str, key: str) -> Fence | None:
    """The fence under which this process writes an object; None where it holds no lease on its store."""
    found = (one for (place, root), one in _held.items() if place == bucket and _is_below(key, root))
    return next(found, None)


def exported_fence(bucket: str, key: str) -> tuple[str, ...]:
    """The fence of an object, as another process of the same job takes it; empty where there is none."""
    fence = fence_of(bucket, key)
    return () if fence is None else (fence.bucket, fence.root, fence.locks, fence.name, fence.epoch)


def adopt_fence(exported: tuple[str, ...]) -> None:
    """Write under the lease that another process exported, unless this process does so already."""
    bucket, root, locks, name, epoch = exported
    fence = Fence(bucket, root, locks, name, epoch)
    if _held.get((fence.bucket, fence.root)) != fence:
        raise_fence(fence)


def _is_below(key: str, root: str) -> bool:
    return not root or key == root or key.startswith(f"{root}/")
