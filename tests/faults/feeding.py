"""A command with several feeders, on a Ray that runs: arguments are its address, a store, a folder, and inputs.

Each node has a feeder and an actor. The last line on standard output is the summary.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from devtools.soak.corpus import soak_job
from devtools.soak.feeder import client_settings, run_with_feeders
from pipelines.feeders.ray_feeders import nodes_with_store
from pipelines.pool.pool import start_pool
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.service import AnnotatorSpec

_SECONDS_PER_BATCH = 0.4


def main() -> None:
    """Start actors and feeders, and annotate."""
    address, store, folder, *inputs = sys.argv[1:]
    job = replace(soak_job(Path(inputs[0]), Store(Path(store))), inputs=tuple(inputs))
    spec = AnnotatorSpec(
        "devtools.soak.annotator:faulty", {"folder": folder, "feeder": 1, "seconds_per_batch": _SECONDS_PER_BATCH}
    )
    settings = PoolSettings(actors=2, least_actors=1, ray_address=address, start_seconds=45.0)
    with start_pool(settings, spec) as pool, StoreLock(job.store, purpose="test", wait_seconds=30.0):
        nodes = nodes_with_store(job.store)
        summary = run_with_feeders(job, pool, client=client_settings(30.0), count=max(2, len(nodes)))
    said = {
        "nodes": len(nodes),
        "exit_code": summary.exit_code(),
        "failures": [one.message for one in summary.failures],
    }
    print(json.dumps(said | {"committed": summary.shards_committed, "skipped": summary.shards_skipped}))


if __name__ == "__main__":
    main()
