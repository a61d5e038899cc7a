"""Feeders as actors of Ray: on which nodes they may be, and how they are made, asked and ended there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bioner_core.errors import BionerError
from bioner_core.process_identity import ProcessIdentity, this_process
from bioner_core.store.history.lock import live_claims
from bioner_core.store.layout import ShardDescriptor, Store
from pipelines.feeders.feeder import Feeder, FeederHandle, FeederLostError, LocalFeeder
from pipelines.feeders.given_shards import FeederReport
from pipelines.job import AnnotationJob
from pipelines.pool.actor_handles import thread_variables
from pipelines.pool.service import ServiceFactory

_LOOK_SECONDS = 120.0
"""How long a node may take to say whether it sees the store; it has to import bioner first."""


class RayFeeder:
    """A feeder as an actor of a Ray that this process is connected to. It takes no GPU, and ends with this process."""

    is_here = False

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory, *, node_id: str) -> None:
        self._actor: Any = (
            ray.remote(Feeder)
            .options(
                num_cpus=0,
                num_gpus=0,
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
                runtime_env={"env_vars": thread_variables(1)},
            )
            .remote(job, service_factory, launcher=this_process())
        )
        self._question: Any = None

    def ask(self, shards: Sequence[ShardDescriptor]) -> None:
        """Send the question."""
        self._question = self._actor.exchange.remote(shards)

    def answer(self) -> FeederReport | None:
        """The answer if it has come.

        Raises:
            FeederLostError: the feeder is no more.
        """
        if self._question is None or not ray.wait([self._question], timeout=0)[0]:
            return None
        question, self._question = self._question, None
        try:
            report: FeederReport = ray.get(question)
        except RayActorError as error:
            raise FeederLostError(" ".join(str(error).split())) from error
        except RayError as error:
            raise FeederLostError(f"a feeder failed: {error}") from error
        return report

    def leave(self) -> None:
        """Let its process end by itself; Ray would tell the terminal of one that is killed."""
        self._actor.__ray_terminate__.remote()

    def end(self) -> None:
        """Kill its process."""
        ray.kill(self._actor)


@dataclass(frozen=True, slots=True)
class FeederPlaces:
    """Makes the feeders of one run: `count` on these nodes of Ray, in turn; without nodes one in this process."""

    job: AnnotationJob
    service_factory: ServiceFactory
    count: int = 1
    nodes: tuple[str, ...] = ()

    def feeder(self, number: int) -> FeederHandle:
        """The feeder of this number, from 0; a replacement has a higher one than all before.

        Raises:
            FeederLostError: none of the nodes is left.
        """
        if not self.nodes:
            return LocalFeeder(self.job, self.service_factory)
        living = [node for node in self.nodes if node in living_nodes()]
        if not living:
            raise FeederLostError("none of the Ray nodes that see the store is left; run the same command again")
        return RayFeeder(self.job, self.service_factory, node_id=living[number % len(living)])


def living_nodes() -> tuple[str, ...]:
    """The ids of the nodes of the Ray that this process is connected to, in a fixed order."""
    return tuple(sorted(node["NodeID"] for node in ray.nodes() if node["Alive"]))


def nodes_with_store(store: Store) -> tuple[str, ...]:
    """The living nodes on which a feeder would find the store, which this process must hold.

    A folder of the same name on another machine's own disk is not the store: what was committed there would be lost.
    """
    nodes = living_nodes()
    task = ray.remote(_sees_store)
    asked = {
        task.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote(store, this_process()): node
        for node in nodes
    }
    answers, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_SECONDS)
    seeing = {asked[answer] for answer in answers if _answer_of(answer)}
    return tuple(node for node in nodes if node in seeing)


def _sees_store(store: Store, launcher: ProcessIdentity) -> bool:
    try:
        return any(claim.holder == launcher for claim in live_claims(store))
    except BionerError:
        return False


def _answer_of(answer: Any) -> bool:
    try:
        return bool(ray.get(answer))
    except RayError:  # the node has gone, or bioner is not installed there
        return False
