"""A pool for a command: started for it alone, or one that runs already; and how many feeders it has, and where."""

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.inference.budget import MemoryLimit
from bioner_core.models.precision import AUTO
from bioner_core.spoken import spoken_count
from jobs.options.annotation import ActorOptions, ActorRange, AnnotateConfig
from jobs.runs.annotator import MODEL, AnnotatorChoice, visible_gpus
from jobs.runs.store_precision import store_precision
from jobs.terminal.console import say, say_warning, told_step
from jobs.terminal.process import signals_deferred
from pipelines.job import FN_API_RUNNER, AnnotationJob
from pipelines.pool.pool_registry import PoolAddress, check_pool_name
from pipelines.pool.pool_settings import LOCAL, ClientSettings, PoolSettings
from pipelines.pool.service import AnnotatorSpec, ServiceFactory

if TYPE_CHECKING:
    from pipelines.feeders.ray_feeders import FeederPlaces
    from pipelines.pool.client import PoolClientFactory
    from pipelines.pool.pool import Pool
    from pipelines.pool.pool_report import PoolReport


def connect_by_hand() -> None:
    """Keep Ray from starting by itself; call it before anything imports Ray, which reads this at import.

    After an interrupt a Beam thread may call Ray once more, and that must not start a new one. This is also why the
    modules that import Ray are imported inside functions here, after this call, and not at the top.
    """
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"


def check_pool_options(run: AnnotateConfig) -> None:
    """Of a pool that runs already the name can be chosen, and nothing of its actors.

    Raises:
        ConfigurationError: an option says something of them, or the name cannot be one.
    """
    if run.pool is None:
        return
    check_pool_name(run.pool)
    for option, value in [
        ("--actors", run.wanted),
        ("--gpus-per-actor", run.gpus_per_actor),
        ("--threads-per-actor", run.threads_per_actor),
        ("--memory-cap", run.memory_cap),
    ]:
        if value is not None:
            raise ConfigurationError(
                f"{option}: is {value}, but the actors of --pool {run.pool} run already: leave it out; "
                "`bioner pool start` takes it"
            )


def planned_settings(actors: ActorOptions, ray_address: str) -> PoolSettings:
    """The settings for such actors on the Ray at `ray_address`.

    Raises:
        ConfigurationError: they cannot be had.
    """
    gpus = visible_gpus() if ray_address == LOCAL else 0
    wanted = actors.wanted or ActorRange(1, max(1, gpus))
    return PoolSettings(
        actors=wanted.most,
        least_actors=wanted.least,
        gpus_per_actor=float(gpus > 0) if actors.gpus_per_actor is None else actors.gpus_per_actor,
        threads_per_actor=actors.threads_per_actor,
        ray_address=ray_address,
    )


def memory_limit(actors: ActorOptions, settings: PoolSettings) -> MemoryLimit:
    """What the batches of each actor may take: so many GB (10^9 bytes), or its share of what its device has.

    Raises:
        ConfigurationError: it is nothing.
    """
    cap = None if actors.memory_cap is None else int(actors.memory_cap * 1e9)
    share = min(1.0, settings.gpus_per_actor) if settings.gpus_per_actor else 1.0 / settings.actors
    return MemoryLimit(cap, share)


def open_pool(opened: ExitStack, settings: PoolSettings, *, spec: AnnotatorSpec, quiet: bool) -> "Pool":
    """Start a pool, which ends with `opened`, and so does a Ray that was started for it.

    `quiet` silences how far the start is; what goes wrong with an actor is told always.

    Raises:
        ConfigurationError: the settings do not fit the Ray that they name.
        PoolError: Ray or an actor cannot be started, or an actor holds another model than this machine has.
    """
    connect_by_hand()
    from pipelines.pool.pool import start_pool
    from pipelines.pool.ray_session import ray_session

    here = settings.ray_address == LOCAL
    begins = "starting Ray on this machine" if here else f"joining Ray at {settings.ray_address}"
    # half-started, Ray would leave its agents behind
    with told_step(begins, "Ray is up", quiet=quiet), signals_deferred():
        opened.enter_context(ray_session(settings))
    count = spoken_count(settings.actors, "actor")
    least = settings.least_actors
    ready = f"{count} ready" if least == settings.actors else f"{least} of {count} ready, the others join"
    with told_step(f"starting {count}, a model in each", ready, quiet=quiet):
        return opened.enter_context(start_pool(settings, spec, tell=_silent if quiet else say, warn=say_warning))


def _silent(_: str) -> None:
    return


def join_pool(
    opened: ExitStack,
    name: str,
    *,
    ray_address: str,
    choice: AnnotatorChoice,
    client: ClientSettings,
    quiet: bool,
) -> "PoolClientFactory":
    """What makes clients of a pool that runs already; the connection to its Ray ends with `opened`.

    Raises:
        ModelError: the pool holds another model than `choice` asks for.
        PoolError: no pool of this name runs, or it cannot be reached.
    """
    connect_by_hand()
    from pipelines.pool.pool_lookup import check_same_model, client_of

    address, report = _report_of(opened, name, ray_address)
    check_same_model(report, fingerprint=choice.fingerprint(), model=choice.in_words())
    if not quiet:
        say(f"joined the pool {name!r}: {report.ready} of {spoken_count(report.wanted, 'actor')} ready")
    return client_of(address, report, settings=client)


def in_pool_precision(choice: AnnotatorChoice, config: AnnotateConfig) -> AnnotatorChoice:
    """The choice in the precision of the pool that a config names, where neither the user nor the store names one.

    The model is there already; what this machine would compute fastest says nothing of it.

    Raises:
        ModelError: there is no such model.
        PoolError: no pool of this name runs, or it cannot be reached.
        StoreError: a manifest is of a newer schema version.
    """
    if config.pool is None or choice.kind != MODEL or choice.precision != AUTO or store_precision(choice, config.store):
        return choice
    connect_by_hand()
    with ExitStack() as opened:
        _, report = _report_of(opened, config.pool, config.ray)
    found = report.model.get("precision", AUTO)
    return replace(choice, precision=found, precision_reason=f"that of the pool {config.pool!r}")


def _report_of(opened: ExitStack, name: str, ray_address: str) -> "tuple[PoolAddress, PoolReport]":
    from pipelines.pool.pool_lookup import connected_kv, living_report, pool_address

    address = pool_address(name, ray_address)
    with signals_deferred():
        kv = opened.enter_context(connected_kv(address))
    return address, living_report(kv, name)


def check_feeders(config: AnnotateConfig) -> None:
    """Refuse numbers that cannot be had.

    Raises:
        ConfigurationError: fewer than one, or several with another runner than Beam's own.
    """
    wanted = 1 if config.feeders is None else config.feeders
    if wanted < 1:
        raise ConfigurationError(f"--feeders: is {wanted}; use 1 or more")
    if wanted > 1 and config.runner != FN_API_RUNNER:
        raise ConfigurationError(
            f"--feeders: is {wanted}, but {config.runner} spreads the work by itself: leave one of the two out"
        )


def feeder_places(job: AnnotationJob, service_factory: ServiceFactory, *, config: AnnotateConfig) -> "FeederPlaces":
    """The feeders that a config names; without a number one, and on a cluster one for each node that sees the store.

    This process must be connected to Ray, and hold the lock of the store.

    Raises:
        PoolError: several are wanted, and no node sees the store.
    """
    from pipelines.feeders.ray_feeders import FeederPlaces, living_nodes, nodes_with_store

    wanted, here = config.feeders, config.ray == LOCAL
    if wanted == 1 or (wanted is None and here):
        return FeederPlaces(job, service_factory)
    nodes = living_nodes()
    if wanted is None and len(nodes) == 1:
        return FeederPlaces(job, service_factory)
    own_ray = here and config.pool is None
    seeing = nodes if own_ray else nodes_with_store(job.store)
    if wanted is not None and not seeing:
        raise PoolError(
            f"--feeders: is {wanted}, but none of the {len(nodes)} Ray nodes sees {job.store} with the lock of this "
            "command: mount it there under the same path, or leave the option out"
        )
    if len(seeing) < len(nodes) and not config.quiet:
        say(f"{len(seeing)} of {len(nodes)} Ray nodes see the store and may have feeders")
    count = len(seeing) if wanted is None else wanted
    return FeederPlaces(job, service_factory, count, seeing) if count > 1 else FeederPlaces(job, service_factory)
