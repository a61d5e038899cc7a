"""How many feeders a run has, and where: one in the command itself, or several on the nodes of a Ray cluster."""

from typing import TYPE_CHECKING

from bioner_core.errors import ConfigurationError, PoolError
from jobs.options.annotation import AnnotateConfig
from jobs.terminal.console import say
from pipelines.job import FN_API_RUNNER, AnnotationJob
from pipelines.pool.pool_settings import LOCAL
from pipelines.pool.service import ServiceFactory

if TYPE_CHECKING:
    from pipelines.feeders.ray_feeders import FeederPlaces


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


def feeder_places(job: AnnotationJob, service_factory: ServiceFactory, config: AnnotateConfig) -> "FeederPlaces":
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
