"""Which worker processes Ray has ended because their machine ran out of memory.

Ray's monitor kills the process and starts the actor again; whoever waits sees an actor that is silent for a while.
"""

from ray._private.state import state
from ray.core.generated import common_pb2, gcs_pb2
from ray.exceptions import RayError

_DETAIL_CHARACTERS = 300
"""Ray's words begin with what was killed and how much it held; a page of advice follows."""


def memory_kills() -> dict[str, str]:
    """Ray's own words for each process that it has ended for memory, by worker id; needs a connection to Ray."""
    try:
        table = state._connect_and_get_accessor().get_worker_table()
    except (RayError, RuntimeError):  # Ray is ending; nobody asks for more now
        return {}
    found = {}
    for row in map(gcs_pb2.WorkerTableData.FromString, table):
        if not row.is_alive and row.exit_type == common_pb2.NODE_OUT_OF_MEMORY:
            words = " ".join(row.exit_detail.split())[:_DETAIL_CHARACTERS]
            found[row.worker_address.worker_id.hex()] = words
    return found


def kill_message(count: int, detail: str) -> str:
    """What a user is told of `count` more such deaths."""
    return (
        f"Ray ended {count} actor process(es), because their machine ran out of memory; they load their model again. "
        f"Use fewer actors (--actors) or smaller batches (--memory-cap), or end other programs there. Ray: {detail}"
    )
