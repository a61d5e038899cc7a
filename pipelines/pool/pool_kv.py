"""Notes that outlive the process that wrote them, kept in the Ray cluster's own key-value table.

An actor notes which batch it starts before it starts it, so that after its death everyone can tell the batch that was
running from those that only waited behind it, and notes why when it ends itself. The launcher notes which actors are to
get batches, how the pool stands, and why it gave up, so that clients in other processes can follow; and whoever looks
after the pool leaves it orders.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ray.experimental import internal_kv

_TABLE = b"bioner"


@dataclass(frozen=True, slots=True)
class PoolKV:
    """The notes of one pool; `namespace` is the Ray namespace of its actors. Needs a connection to Ray."""

    namespace: str

    def note_running(self, actor_name: str, batch_id: str) -> None:
        """Note that the actor is about to run the batch; durable when this returns."""
        self._write(f"running/{actor_name}", batch_id)

    def last_running(self, actor_name: str) -> str:
        """The batch that the actor of this name started last; empty when it never started one."""
        return self._read(f"running/{actor_name}")

    def count_start(self, actor_name: str) -> int:
        """Count one more process of this name that is ready for work; how many there were before it."""
        before = int(self._read(f"starts/{actor_name}") or 0)
        self._write(f"starts/{actor_name}", str(before + 1))
        return before

    def forget_starts(self, actor_name: str) -> None:
        """Count from 0 again, since the name may be given to another actor."""
        internal_kv._internal_kv_del(self._key(f"starts/{actor_name}"), namespace=_TABLE)

    def note_death_message(self, batch_id: str, words: str) -> None:
        """Note why an actor ends itself while it runs the batch."""
        self._write(f"death_message/{batch_id}", words)

    def death_message(self, batch_id: str) -> str:
        """Why an actor ended itself while it ran the batch; empty when it did not, or could not say."""
        return self._read(f"death_message/{batch_id}")

    def note_failure(self, message: str) -> None:
        """Note why the pool will never answer again."""
        self._write("failure", message)

    def failure(self) -> str:
        """Why the pool will never answer again; empty while it may."""
        return self._read("failure")

    def note_roster(self, actor_names: Sequence[str]) -> None:
        """Note which actors are to get batches from now on."""
        self._write("roster", json.dumps(list(actor_names)))

    def roster(self) -> tuple[str, ...] | None:
        """The actors that are to get batches; None while the launcher has not noted any."""
        text = self._read("roster")
        return tuple(json.loads(text)) if text else None

    def note_memory_kills(self, count: int) -> None:
        """Note how many processes of the pool's actors Ray has ended for memory."""
        self._write("memory_kills", str(count))

    def memory_kills(self) -> int:
        """How many processes of the pool's actors Ray has ended for memory."""
        return int(self._read("memory_kills") or 0)

    def note_report(self, report: str) -> None:
        """Note how the pool stands, for whoever looks after it."""
        self._write("report", report)

    def report(self) -> str:
        """How the pool stood when its owner last noted it; empty when it never did."""
        return self._read("report")

    def give_order(self, order: str) -> None:
        """Leave an order for the pool's owner; it takes the place of one that was not taken yet."""
        self._write("order", order)

    def take_order(self) -> str:
        """The order that was left last, which is then gone; empty when there is none."""
        # Race: an order that comes between the read and the removal is lost. `bioner pool stop` waits for the end, and
        # says so when it does not come; the report shows whoever scales how many actors are wanted.
        order = self._read("order")
        if order:
            internal_kv._internal_kv_del(self._key("order"), namespace=_TABLE)
        return order

    def clear(self) -> None:
        """Remove all notes of this pool."""
        internal_kv._internal_kv_del(self._key(""), del_by_prefix=True, namespace=_TABLE)

    def _key(self, subject: str) -> bytes:
        return f"{self.namespace}/{subject}".encode()

    def _write(self, subject: str, text: str) -> None:
        internal_kv._internal_kv_put(self._key(subject), text.encode(), overwrite=True, namespace=_TABLE)

    def _read(self, subject: str) -> str:
        return (internal_kv._internal_kv_get(self._key(subject), namespace=_TABLE) or b"").decode()
