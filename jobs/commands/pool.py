"""`bioner pool start|status|scale|stop`: actors that outlive one command and serve many."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bioner_core.errors import PoolError
from bioner_core.process_identity import this_process
from bioner_core.spoken import spoken_count
from jobs.options.annotation import ActorOptions, Ray
from jobs.options.common import Json, Quiet, takes_option_groups
from jobs.options.metrics import MetricsOutlet, metrics_shown
from jobs.runs.annotator import AnnotatorChoice, chosen_annotator
from jobs.runs.pool import connect_by_hand, memory_limit, open_pool, planned_settings
from jobs.terminal.console import only_results_on_stdout, print_result, say
from jobs.terminal.process import interrupted_exit_code
from pipelines.pool.pool_registry import Announce, check_pool_name, claimed_address, pool_namespace
from pipelines.pool.pool_settings import LOCAL, PoolSettings
from pipelines.watch.metrics_page import JobPage

if TYPE_CHECKING:
    from pipelines.pool.pool_report import ActorReport, PoolReport
    from pipelines.pool.pool_service import PoolService

app = typer.Typer(help="Run a pool of actors that many commands share.", rich_markup_mode=None)

START_HELP = """
Start a pool of actors and keep it until `bioner pool stop`, Ctrl-C or SIGTERM. Runs in the foreground and owns the
actors: none of them outlives it. Told to stop, it lets each actor end the batch that it runs; a second Ctrl-C ends it
on the spot.

\b
Examples:
  bioner pool start --name gpus --actors 2
  bioner pool start --name gpus --actors 8 --gpus-per-actor 1 --ray ray-head:6379
  bioner annotate in.xml --store my-store --pool gpus                 meanwhile, elsewhere

Exit codes: 0 stopped, 1 the pool failed, 2 wrong usage, 130 or 143 after Ctrl-C or SIGTERM.
"""

STATUS_HELP = """
Say how a pool stands: what each actor runs and for how long, its restarts and failed starts. Ends with 0 only if every
actor that is wanted is ready.

\b
Examples:
  bioner pool status --name gpus
  bioner pool status --name gpus --ray ray-head:6379 --json
"""

SCALE_HELP = """
Change the number of actors of a running pool. Jobs that use it follow without a restart; an actor that is too many ends
the batch that it runs first. Names that were given up after failed starts are tried afresh.

\b
Example:
  bioner pool scale --name gpus --actors 4 --wait 600
"""

STOP_HELP = """
Stop a running pool, and return when it is gone. Its actors end the batches that they run; jobs that use it fail, and go
on from what is committed when they are run again.

\b
Example:
  bioner pool stop --name gpus --drain-seconds 300
"""

Name = Annotated[str, typer.Option("--name", help="Name of the pool.")]
Wanted = Annotated[int, typer.Option("--actors", help="How many actors there shall be.", show_default=False)]
Cpus = Annotated[float, typer.Option(help="CPUs of each actor on a cluster, as Ray counts them.")]
Drain = Annotated[float, typer.Option(help="Seconds that running batches may take when the pool is stopped.", min=0)]
StopDrain = Annotated[
    float | None,
    typer.Option("--drain-seconds", help="Seconds that running batches may take. Default: as it was started.", min=0),
]
WaitReady = Annotated[
    float, typer.Option("--wait", help="Seconds to wait until all are ready. Default: do not wait.", min=0)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig(ActorOptions):
    """What a user asks of a pool.

    `cpus_per_actor` is Ray's resource on a cluster; on this machine nothing but the pool uses its Ray.
    """

    name: Name = "default"
    cpus_per_actor: Cpus = 1.0
    ray: Ray = "local"
    drain_seconds: Drain = 60.0
    quiet: Quiet = False


@app.command(help=START_HELP)
@takes_option_groups
def start(config: PoolConfig, metrics: MetricsOutlet, as_json: Json = False) -> int:
    """Own a pool until it is told to stop; returns the exit code."""
    with only_results_on_stdout():
        annotator, page = chosen_annotator(config), JobPage()
        with metrics_shown(metrics, page, job=f"pool {config.name}"):
            ended = keep_pool(config, annotator, page=page)
            page.end(0)
    cut = f", {spoken_count(ended.cut_short, 'actor')} in the middle of a batch" if ended.cut_short else ""
    print_result(ended.as_json(), as_json=as_json, show=lambda: print(f"pool {config.name!r} stopped{cut}"))
    return 0


@app.command(help=STATUS_HELP)
def status(name: Name = "default", ray: Ray = "local", as_json: Json = False) -> int:
    """Print how a pool stands; returns the exit code."""
    with only_results_on_stdout():
        report = pool_status(name, ray)
    print_result(report.as_json(), as_json=as_json, show=lambda: _show(report))
    return 0 if report.ready >= report.wanted else 1


@app.command(help=SCALE_HELP)
def scale(
    actors: Wanted, name: Name = "default", ray: Ray = "local", wait: WaitReady = 0.0, as_json: Json = False
) -> int:
    """Change the number of actors; returns the exit code."""
    with only_results_on_stdout():
        report = scale_pool(name, ray, actors=actors, wait_seconds=wait)
    print_result(report.as_json(), as_json=as_json, show=lambda: _show(report))
    return 0


@app.command(help=STOP_HELP)
def stop(name: Name = "default", ray: Ray = "local", drain_seconds: StopDrain = None, as_json: Json = False) -> int:
    """Stop a pool; returns the exit code."""
    with only_results_on_stdout():
        seconds = stop_pool(name, ray, drain_seconds=drain_seconds)
    result = {"name": name, "seconds": round(seconds, 1)}
    print_result(result, as_json=as_json, show=lambda: print(f"pool {name!r} stopped in {seconds:.1f} s"))
    return 0


def _show(report: "PoolReport") -> None:
    stopping = ", being stopped" if report.stopping else ""
    print(f"pool     {report.name}: {report.ready} of {spoken_count(report.wanted, 'actor')} ready{stopping}")
    print(f"ray      {report.address}")
    print(f"owner    process {report.owner.pid} on {report.owner.host}, since {report.started}")
    print(f"model    {', '.join(f'{key} {value}' for key, value in report.model.items())}")
    print(f"made by  {report.fingerprint[:16]}")
    for actor in report.actors:
        print(_line(actor))


def _line(actor: "ActorReport") -> str:
    where = f"pid {actor.pid} on {actor.node}" if actor.pid else "no process yet"
    work = f", batch {actor.batch} for {actor.running_seconds:.1f} s" if actor.batch else ""
    busy = f", busy {actor.busy_share:.0%}" if actor.busy_share is not None else ""
    faults = f", {actor.failed_starts} failed starts" if actor.failed_starts else ""
    error_lines = actor.last_error.strip().splitlines()
    why = f": {error_lines[-1]}" if error_lines and not actor.pid else ""
    return f"{actor.name}  {actor.state}, {where}{work}{busy}, {spoken_count(actor.restarts, 'restart')}{faults}{why}"


_TAKEN_SECONDS = 30.0
"""How long an order may wait for the owner to take it."""

_END_SECONDS = 60.0
"""How long, beyond the time to drain, the owner may take to end its actors and its Ray."""

_LOOK_AT_OUTPUT = "Look at the output of its `bioner pool start`"


@dataclass(frozen=True, slots=True)
class PoolEnd:
    """How a pool ended: `cut_short` actors had not ended their batch when the time to drain was up."""

    name: str
    seconds: float
    cut_short: int

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`."""
        return {"name": self.name, "seconds": round(self.seconds, 1), "cut_short": self.cut_short}


def keep_pool(config: PoolConfig, annotator: AnnotatorChoice, *, page: JobPage) -> PoolEnd:
    """Start a pool, and keep it until it is told to stop, or Ctrl-C or SIGTERM comes: then drain it.

    `page` shows how the actors are.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        ModelError: there is no such model.
        PoolError: the pool cannot be started, a pool of this name runs, or all its actors were given up.
    """
    connect_by_hand()
    from pipelines.pool.pool_report import PoolReport
    from pipelines.pool.pool_service import PoolService

    started = time.monotonic()
    settings = service_settings(config)
    annotator = replace(annotator, on_gpu=settings.gpus_per_actor > 0)
    spec = annotator.spec(memory_limit(config, settings))
    annotator.check_ready()
    with claimed_address(config.name) as announce, ExitStack() as opened:
        pool = open_pool(opened, settings, spec=spec, quiet=config.quiet)
        page.follow(pool)
        opened.callback(page.let_go)
        report = PoolReport(
            name=config.name,
            address=pool.address,
            owner=this_process(),
            fingerprint=pool.fingerprint,
            model=annotator.in_words(),
            limits=pool.limits,
            wanted=settings.actors,
            drain_seconds=config.drain_seconds,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        cut_short = _serve(PoolService(pool, report, drain_seconds=config.drain_seconds), announce, report, config)
    return PoolEnd(config.name, time.monotonic() - started, cut_short)


def service_settings(config: PoolConfig) -> PoolSettings:
    """The settings of a pool for everybody.

    On this machine its actors take no CPUs of Ray's, so that there may be more of them later than Ray was started for.

    Raises:
        ConfigurationError: the name or a number is unusable.
    """
    check_pool_name(config.name)
    planned = planned_settings(config, config.ray)
    return replace(
        planned,
        namespace=pool_namespace(config.name),
        cpus_per_actor=0.0 if config.ray == LOCAL else config.cpus_per_actor,
        drain_seconds=max(planned.drain_seconds, config.drain_seconds),
    )


def pool_status(name: str, ray_address: str) -> "PoolReport":
    """How a pool stands.

    Raises:
        ConfigurationError, PoolError: it is not there, or its owner is dead.
    """
    connect_by_hand()
    from pipelines.pool.pool_lookup import connected_kv, living_report, pool_address

    with connected_kv(pool_address(name, ray_address)) as kv:
        return living_report(kv, name)


def scale_pool(name: str, ray_address: str, *, actors: int, wait_seconds: float) -> "PoolReport":
    """Order another number of actors, and return once the owner has taken the order, or `wait_seconds` after that.

    With a wait it returns as soon as exactly so many actors are ready.

    Raises:
        ConfigurationError: fewer than one.
        PoolError: the pool is not there, its owner does not take the order, or not all are ready in time.
    """
    connect_by_hand()
    from pipelines.pool.pool_lookup import connected_kv, living_report, pool_address
    from pipelines.pool.pool_service import order_scale

    with connected_kv(pool_address(name, ray_address)) as kv:
        living_report(kv, name)
        order_scale(kv, actors)
        deadline = time.monotonic() + _TAKEN_SECONDS
        while (report := living_report(kv, name)).wanted != actors:
            if time.monotonic() > deadline:
                raise PoolError(
                    f"pool {name!r}: its owner did not take the order in {_TAKEN_SECONDS:g} s. {_LOOK_AT_OUTPUT}"
                )
        deadline = time.monotonic() + wait_seconds
        while wait_seconds and not report.ready == len(report.actors) == actors:
            if time.monotonic() > deadline:
                raise PoolError(
                    f"--wait: {report.ready} of {spoken_count(actors, 'actor')} ready after {wait_seconds:g} s: "
                    f"{_faults(report)}"
                )
            report = living_report(kv, name)
    return report


def stop_pool(name: str, ray_address: str, *, drain_seconds: float | None) -> float:
    """Order a pool to stop, and return when it is gone, with the seconds that it took.

    None is the time to drain that it was started with.

    Raises:
        ConfigurationError, PoolError: it is not there, or does not end in time.
    """
    connect_by_hand()
    from pipelines.pool.pool_lookup import await_end, connected_kv, living_report, pool_address
    from pipelines.pool.pool_service import order_stop

    started = time.monotonic()
    address = pool_address(name, ray_address)
    with connected_kv(address) as kv:
        report = living_report(kv, name)
        order_stop(kv, drain_seconds)
    seconds = _END_SECONDS + (drain_seconds if drain_seconds is not None else report.drain_seconds)
    if not await_end(address, report.owner, seconds=seconds):
        owner = f"process {report.owner.pid} on {report.owner.host}"
        raise PoolError(f"pool {name!r}: its owner, {owner}, has not ended in {seconds:g} s. {_LOOK_AT_OUTPUT}")
    return time.monotonic() - started


def _serve(service: "PoolService", announce: Announce, report: "PoolReport", config: PoolConfig) -> int:
    from pipelines.pool.ray_session import uses_tokens

    try:
        announce(report.address, uses_tokens())
        if not config.quiet:
            say(f"pool {config.name!r} is ready at {report.address}; `bioner pool stop --name {config.name}` ends it")
        service.run()
    except KeyboardInterrupt:
        if interrupted_exit_code() is None:
            raise
    if not config.quiet:
        say(f"pool {config.name!r} is being stopped: its actors end what they run ...")
    return service.stop()


def _faults(report: "PoolReport") -> str:
    faults = [f"{one.name}: {one.last_error.strip().splitlines()[-1]}" for one in report.actors if one.last_error]
    return "; ".join(faults) or "the rest are still starting"
