"""A client's view of the actors, without Ray."""

from typing import Any

import pytest

from bioner_core.errors import PoolError
from pipelines.pool import actor_tracker
from pipelines.pool.actor_tracker import ActorTracker
from pipelines.pool.actors import ActorStatus
from pipelines.pool.pool_kv import PoolKV


class Roster(PoolKV):
    """Notes of which actors there are, kept in this process."""

    names: tuple[str, ...] | None = None

    def roster(self) -> tuple[str, ...] | None:
        """Those of the test."""
        return Roster.names


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, ActorStatus]:
    """What each ping says when it is read."""
    said: dict[str, ActorStatus] = {}

    def get(probe: str, **_: Any) -> ActorStatus:
        return said[probe]

    monkeypatch.setattr(actor_tracker.ray, "get", get)
    return said


def test_an_actor_of_another_model_is_sent_nothing(answers: dict[str, ActorStatus]) -> None:
    """Answers of one model stored under the fingerprint of another, after the pool was started again."""
    (actor,) = (found := ActorTracker(PoolKV("x"), ["a"], fingerprint="wanted")).actors
    answers["ping"] = ActorStatus(1, fingerprint="other")
    actor.probe = "ping"
    with pytest.raises(PoolError, match="holds another model now"):
        found.read_probe(actor)
    assert found.open_actors() == []
    actor.probe, answers["ping"] = "ping", ActorStatus(1, fingerprint="wanted")
    found.read_probe(actor)
    assert found.open_actors() == [actor]


def test_seats_follow_the_roster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A actor dropped with batches of ours at it, kept after it is gone, or dropped since no pool runs just now."""
    found = ActorTracker(Roster("x"), ["a", "b"])
    first, second = found.actors
    first.ready = second.ready = True
    monkeypatch.setattr(Roster, "names", ("a", "c"))
    found.follow_roster(0.0, busy={second})
    assert [actor.name for actor in found.actors] == ["a", "b", "c"]
    assert found.open_actors() == [first]
    found.follow_roster(0.0, busy=set())
    assert [actor.name for actor in found.actors] == ["a", "c"]
    monkeypatch.setattr(Roster, "names", None)
    found.follow_roster(0.0, busy=set())
    assert [actor.name for actor in found.actors] == ["a", "c"]
