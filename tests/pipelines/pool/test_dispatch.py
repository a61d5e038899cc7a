"""The client's loop over a stream, with actors that answer by a virtual clock: what is read when, and who waits."""

from collections.abc import Iterator, Sequence

import pytest
from fake_annotators import answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from virtual_ray import FullCrew, Service, VirtualRay

from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.batching import Batch, plan_batches
from pipelines.pool import dispatch
from pipelines.pool.dispatch import Dispatch
from pipelines.pool.pool_settings import ClientSettings

SETTINGS = ClientSettings(read_ahead=4)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> "Stream":
    """Runs streams of the loop by the virtual clock."""
    return Stream(monkeypatch)


class Stream:
    """One stream at a time, and what was seen of it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.world = VirtualRay(lambda _: 2.0)
        self.buffers_read = 0

    def open(self, actors: int, service: Service, *, settings: ClientSettings = SETTINGS) -> Dispatch:
        """A loop over these actors, at time 0."""
        self.world = VirtualRay(service)
        self.buffers_read = 0
        self._patch.setattr(dispatch, "ray", self.world)
        self._patch.setattr(dispatch, "time", self.world)
        return Dispatch(FullCrew(self.world, actors), None, settings)  # type: ignore[arg-type]

    def read(self, buffers: Sequence[list[Batch]], *, seconds: float = 0.0) -> Iterator[tuple[int, list[Batch]]]:
        """The buffers with their numbers, each read in so many seconds."""
        for number, batches in enumerate(buffers):
            self.world.now += seconds
            self.buffers_read += 1
            yield number, batches


def batched(*texts: str) -> list[Batch]:
    """Each text a batch of its own."""
    return plan_batches([AnnotationRequest(text, "x") for text in texts], token_budget=10**6, max_rows=1)


def numbered(buffers: int, batches: int) -> list[list[Batch]]:
    """So many buffers of so many batches, all different."""
    return [batched(*(f"row {number} of {place}" for number in range(batches))) for place in range(buffers)]


def test_actors_do_not_run_dry_between_buffers(stream: Stream) -> None:
    """Catches actors that wait at the end of each buffer for its last batch: 80 seconds where 50 will do."""
    loop = stream.open(4, lambda _: 2.0)
    assert len(list(loop.run(stream.read(numbered(20, 5))))) == 20
    assert stream.world.now == 100 / 4 * 2.0


@pytest.mark.parametrize("actors", [1, 32, 256])
def test_any_number_of_actors_is_kept_busy(stream: Stream, actors: int) -> None:
    """Catches a window or a bound that is too small for many actors."""
    loop = stream.open(actors, lambda _: 2.0, settings=ClientSettings())
    list(loop.run(stream.read(numbered(actors * 2, 7))))
    assert stream.world.now == 14 * 2.0


def test_reading_the_next_buffer_costs_no_actor_time(stream: Stream) -> None:
    """Catches a loop that reads only when the actors have nothing left to do."""
    loop = stream.open(2, lambda _: 2.0)
    list(loop.run(stream.read(numbered(10, 4), seconds=1.5)))
    assert stream.world.now == 1.5 + 10 * 4 * 2.0 / 2


def test_whoever_takes_the_answers_may_take_its_time(stream: Stream) -> None:
    """Catches actors that wait while a shard is written."""
    loop = stream.open(2, lambda _: 2.0)
    for _ in loop.run(stream.read(numbered(10, 4))):
        stream.world.now += 1.0
    assert stream.world.now == 10 * 4 * 2.0 / 2 + 1.0  # the last buffer is written when all actors are done


def test_one_slow_batch_does_not_fill_the_memory(stream: Stream) -> None:
    """Catches a stream that is read to its end while its first batch runs."""
    loop = stream.open(2, lambda requests: 100.0 if "slow" in requests[0].text else 1.0)
    results = loop.run(stream.read([batched("slow", "one", "two"), *numbered(100, 3)]))
    assert next(results)[1][0] == answer(AnnotationRequest("slow", "x"))
    assert stream.buffers_read * 3 <= 2 * 4 + 3
    assert len(list(results)) == 100


def test_nothing_is_read_before_somebody_asks(stream: Stream) -> None:
    """Catches a loop that reads a file that nobody wants."""
    loop = stream.open(1, lambda _: 1.0)
    results = loop.run(stream.read(numbered(5, 1)))
    assert stream.buffers_read == 0
    next(results)
    assert stream.buffers_read <= 4


def test_what_goes_wrong_while_reading_reaches_the_caller(stream: Stream) -> None:
    """Catches an error of the input that ends the stream as if it were complete."""

    def broken() -> Iterator[tuple[str, list[Batch]]]:
        yield "first", batched("one")
        raise ValueError("no more")

    results = stream.open(1, lambda _: 1.0).run(broken())
    with pytest.raises(ValueError, match="no more"):
        list(results)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=12),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_each_row_is_answered_once_in_its_place(
    stream: Stream, seconds: list[list[int]], actors: int, max_rows: int, read_ahead: int
) -> None:
    """Catches answers of one buffer in another, buffers out of order, an empty one left out, a row lost or doubled."""
    rows = [[AnnotationRequest(f"{time} s, {i}", "x") for i, time in enumerate(times)] for times in seconds]
    buffers = [plan_batches(one, token_budget=10**6, max_rows=max_rows) for one in rows]
    loop = stream.open(
        actors,
        lambda requests: max(float(one.text.split()[0]) for one in requests),
        settings=ClientSettings(read_ahead=read_ahead),
    )
    assert list(loop.run(enumerate(buffers))) == [(key, [answer(row) for row in one]) for key, one in enumerate(rows)]
    assert stream.world.sent == sum(map(len, buffers))
