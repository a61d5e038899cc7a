"""`bioner pool start|status|scale|stop`: actors that outlive one command and serve many."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.annotation_options import ActorOptions, AnnotatorOptions, Ray
from jobs.console import only_results_on_stdout, print_result
from jobs.metrics_outlet import MetricsOutlet, metrics_shown
from jobs.option_groups import takes_option_groups
from jobs.options import Json, Quiet

if TYPE_CHECKING:
    from pipelines.pool.pool_report import PoolReport
    from pipelines.pool.post import ActorReport

app = typer.Typer(help="Keep actors that serve many commands.", rich_markup_mode=None)

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
    typer.Option("--drain-seconds", help="Seconds that running batches may take; else as it was started.", min=0),
]
WaitReady = Annotated[float, typer.Option("--wait", help="Seconds to wait until all are ready; else do not.", min=0)]


@app.command(help=START_HELP)
@takes_option_groups
def start(
    actors: ActorOptions,
    annotator: AnnotatorOptions,
    metrics: MetricsOutlet,
    name: Name = "default",
    cpus_per_actor: Cpus = 1.0,
    ray: Ray = "local",
    drain_seconds: Drain = 60.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Own a pool until it is told to stop; returns the exit code."""
    with only_results_on_stdout():
        from jobs.annotator_choice import chosen_annotator
        from jobs.pool_run import PoolWishes, keep_pool

        wishes = PoolWishes(
            name=name,
            annotator=chosen_annotator(annotator),
            actors=actors,
            cpus_per_actor=cpus_per_actor,
            ray_address=ray,
            drain_seconds=drain_seconds,
            quiet=quiet,
        )
        with metrics_shown(metrics, wishes.page, job=f"pool {name}"):
            ended = keep_pool(wishes)
            wishes.page.end(0)
    cut = f", {ended.cut_short} actors in the middle of a batch" if ended.cut_short else ""
    print_result(ended.as_json(), as_json=as_json, show=lambda: print(f"pool {name!r} stopped{cut}"))
    return 0


@app.command(help=STATUS_HELP)
def status(name: Name = "default", ray: Ray = "local", as_json: Json = False) -> int:
    """Print how a pool stands; returns the exit code."""
    with only_results_on_stdout():
        from jobs.pool_run import pool_status

        report = pool_status(name, ray)
    print_result(report.as_json(), as_json=as_json, show=lambda: _show(report))
    return 0 if report.ready >= report.wanted else 1


@app.command(help=SCALE_HELP)
def scale(
    actors: Wanted, name: Name = "default", ray: Ray = "local", wait: WaitReady = 0.0, as_json: Json = False
) -> int:
    """Change the number of actors; returns the exit code."""
    with only_results_on_stdout():
        from jobs.pool_run import scale_pool

        report = scale_pool(name, ray, actors=actors, wait_seconds=wait)
    print_result(report.as_json(), as_json=as_json, show=lambda: _show(report))
    return 0


@app.command(help=STOP_HELP)
def stop(name: Name = "default", ray: Ray = "local", drain_seconds: StopDrain = None, as_json: Json = False) -> int:
    """Stop a pool; returns the exit code."""
    with only_results_on_stdout():
        from jobs.pool_run import stop_pool

        seconds = stop_pool(name, ray, drain_seconds=drain_seconds)
    result = {"name": name, "seconds": round(seconds, 1)}
    print_result(result, as_json=as_json, show=lambda: print(f"pool {name!r} stopped in {seconds:.1f} s"))
    return 0


def _show(report: "PoolReport") -> None:
    stopping = ", being stopped" if report.stopping else ""
    print(f"pool     {report.name}: {report.ready} of {report.wanted} actors ready{stopping}")
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
    last_words = actor.last_error.strip().splitlines()
    why = f": {last_words[-1]}" if last_words and not actor.pid else ""
    return f"{actor.name}  {actor.state}, {where}{work}{busy}, {actor.restarts} restarts{faults}{why}"
