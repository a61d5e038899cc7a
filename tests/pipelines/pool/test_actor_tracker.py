"""A client's view of the actors, without Ray."""

from typing import Any

import pytest

from bioner_core.errors import PoolError
from pipelines.pool import crew
from pipelines.pool.actors import ActorStatus
from pipelines.pool.bulletin import Bulletin
from pipelines.pool.crew import Crew


class Roster(Bulletin):
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

    monkeypatch.setattr(crew.ray, "get", get)
    return said


def test_an_actor_of_another_model_is_sent_nothing(answers: dict[str, ActorStatus]) -> None:
    """Answers of one model stored under the fingerprint of another, after the pool was started again."""
    (seat,) = (found := Crew(Bulletin("x"), ["a"], fingerprint="wanted")).seats
    answers["ping"] = ActorStatus(1, fingerprint="other")
    seat.probe = "ping"
    with pytest.raises(PoolError, match="holds another model now"):
        found.read_probe(seat)
    assert found.open_seats() == []
    seat.probe, answers["ping"] = "ping", ActorStatus(1, fingerprint="wanted")
    found.read_probe(seat)
    assert found.open_seats() == [seat]


def test_seats_follow_the_roster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seat dropped with batches of ours at it, kept after it is gone, or dropped since no pool runs just now."""
    found = Crew(Roster("x"), ["a", "b"])
    first, second = found.seats
    first.ready = second.ready = True
    monkeypatch.setattr(Roster, "names", ("a", "c"))
    found.follow_roster(0.0, busy={second})
    assert [seat.name for seat in found.seats] == ["a", "b", "c"]
    assert found.open_seats() == [first]
    found.follow_roster(0.0, busy=set())
    assert [seat.name for seat in found.seats] == ["a", "c"]
    monkeypatch.setattr(Roster, "names", None)
    found.follow_roster(0.0, busy=set())
    assert [seat.name for seat in found.seats] == ["a", "c"]
