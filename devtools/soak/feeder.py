"""The feeder: one process that owns a pool, as `bioner annotate` does, and runs the jobs that it is told of.

Standard input has a JSON object per line, `input` and `store`; standard output answers each with one. End of input ends
it. SIGUSR1 makes it write the stacks of its threads to standard error.
"""

import argparse
import faulthandler
import json
import os
import signal
import sys
import time
from pathlib import Path

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from devtools.soak.corpus import soak_job
from jobs.options.common import store_at
from pipelines.annotate import run_annotation
from pipelines.feeders.file_end import job_summary
from pipelines.feeders.files_ahead import FilesAhead
from pipelines.feeders.ray_feeders import FeederPlaces, nodes_with_store
from pipelines.job import AnnotationJob
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.service import AnnotatorSpec
from pipelines.refinish import needs_no_model
from pipelines.summary import JobSummary
from pipelines.watch.progress import SilentProgress

_START_SECONDS = 45.0
"""An actor that is stopped while it starts is made anew after this; the watch for what is left over allows a minute."""


def client_settings(deadline_seconds: float) -> ClientSettings:
    """Small batches, and short deadlines: a hung actor is to cost the soak seconds."""
    return ClientSettings(
        max_rows=6,
        token_budget=4096,
        deadline_seconds=deadline_seconds,
        seconds_per_token=0.0,
        ping_seconds=deadline_seconds,
        grace_seconds=300.0,
    )


def run_with_feeders(job: AnnotationJob, pool: Pool, *, client: ClientSettings, count: int) -> JobSummary:
    """Run a job by so many feeders, on the nodes that see its store; this process must hold the store's lock."""
    places = FeederPlaces(job, pool.client_factory(client), count, nodes_with_store(job.store))
    ahead = FilesAhead[str](job, start=lambda: places, progress=SilentProgress(), tell=print)
    return job_summary(job, ahead.run(job.inputs, str))


def run_one(
    pool: Pool, client: ClientSettings, *, input_file: Path, store: Store, feeders: int = 1
) -> dict[str, object]:
    """Run one job under the store's lock and say how it ended."""
    started = time.monotonic()
    job = soak_job(input_file, store)
    store.root.mkdir(parents=True, exist_ok=True)
    with StoreLock(store, purpose="soak", wait_seconds=30.0):
        if feeders > 1 and not needs_no_model(job):
            summary = run_with_feeders(job, pool, client=client, count=feeders)
        else:
            summary = run_annotation(job, service_factory=pool.client_factory(client))
    return {
        "seconds": round(time.monotonic() - started, 3),
        "exit_code": summary.exit_code(),
        "failures": [failure.message for failure in summary.failures],
        "finished": needs_no_model(job),
        "records": summary.counts.records_in,
        "mentions": summary.counts.mentions,
    }


def main() -> None:
    """Start the pool, say so, and run jobs until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--actors", type=int, required=True)
    parser.add_argument("--seconds-per-batch", type=float, required=True)
    parser.add_argument("--deadline", type=float, required=True)
    parser.add_argument("--feeders", type=int, default=1)
    options = parser.parse_args()
    client = client_settings(options.deadline)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    spec = AnnotatorSpec(
        "devtools.soak.annotator:faulty",
        {"folder": options.folder, "feeder": options.number, "seconds_per_batch": options.seconds_per_batch},
    )
    settings = PoolSettings(actors=options.actors, ray_address=options.address, start_seconds=_START_SECONDS)
    with start_pool(settings, spec) as pool:
        answers.write(json.dumps({"ready": True}) + "\n")
        for line in sys.stdin:
            told = json.loads(line)
            store = store_at(told["store"])
            answer = run_one(pool, client, input_file=Path(told["input"]), store=store, feeders=options.feeders)
            answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
