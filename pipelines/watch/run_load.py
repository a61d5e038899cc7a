"""How hard a run worked the machines, beside what it did."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLoad:
    """Figures of one run; None where nobody looked, or where the runner does not work in this process.

    `actor_busy_share` is the part of the actors' time, from their first batch in this run to its end, that they were at
    work. `first_document_seconds` is how long after the start of the command the answers to a first document were here.
    `feeder_cpu_seconds` is the processor time of this process, `feeder_peak_memory` the most bytes that it had in
    memory, `actor_peak_memory` the most that any actor's process had, the loading of its model included.
    `startup_seconds` is how long after the start of the command the actors were ready: what no later shard pays again.
    """

    actor_busy_share: float | None = None
    first_document_seconds: float | None = None
    feeder_cpu_seconds: float | None = None
    feeder_peak_memory: int | None = None
    actor_peak_memory: int | None = None
    startup_seconds: float | None = None
