"""Which feeder gets which shards: each once, each input in one pass where it can be, and what a lost feeder leaves."""

from feeder_samples import shards_of
from hypothesis import given
from hypothesis import strategies as st

from pipelines.feeders.shard_queue import ENOUGH_RECORDS_OUT, LEAST_SHARDS_OUT, MOST_SHARDS_OUT, ShardQueue

FEEDERS = ("a", "b", "c")


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(FEEDERS), st.sampled_from(["take", "end", "end", "lose"])), max_size=80),
)
def test_each_shard_is_out_to_one_feeder_at_most_and_ends_once(sizes: list[int], steps: list[tuple[str, str]]) -> None:
    """Catches a shard that is annotated twice, or by nobody, whatever feeders do and whichever are lost."""
    queue = ShardQueue()
    waiting = {one.shard_id: one for number, size in enumerate(sizes) for one in shards_of(f"in{number}", size)}
    for number, size in enumerate(sizes):
        queue.add(shards_of(f"in{number}", size))
    out: dict[str, list[str]] = {name: [] for name in FEEDERS}
    ended: list[str] = []

    def take(feeder: str) -> None:
        for shard in queue.take(feeder):
            assert shard.shard_id not in [one for had in out.values() for one in had] + ended
            out[feeder].append(shard.shard_id)

    def end(feeder: str) -> None:
        if out[feeder]:
            ended.append(out[feeder].pop(0))
            assert queue.end(feeder, ended[-1])
            assert not queue.end(feeder, ended[-1])

    for feeder, step in steps:
        if step == "take":
            take(feeder)
        elif step == "end":
            end(feeder)
        else:
            lost = queue.lose(feeder)
            assert [one.shard_id for one in lost] == out[feeder]
            out[feeder] = []
            ended += [one.shard_id for one in queue.put_back(lost)]
    while not queue.is_empty:
        for feeder in FEEDERS:
            take(feeder)
            end(feeder)
    assert sorted(ended) == sorted(waiting)


def test_each_feeder_reads_an_input_of_its_own_in_order() -> None:
    """Catches feeders that each read every file from its beginning, to annotate a part of it."""
    queue = ShardQueue()
    for name in ("x", "y"):
        queue.add(shards_of(name, 6))
    got: dict[str, list[str]] = {"a": [], "b": []}
    for _ in range(3):
        for feeder in ("a", "b"):
            for shard in queue.take(feeder):
                got[feeder].append(shard.shard_id)
            for shard_id in got[feeder]:
                queue.end(feeder, shard_id)
    assert got == {"a": [one.shard_id for one in shards_of("x", 6)], "b": [one.shard_id for one in shards_of("y", 6)]}


def test_one_that_has_nothing_takes_the_second_half_of_anothers_input() -> None:
    """Catches feeders without work beside one that has a whole file before it."""
    queue = ShardQueue()
    queue.add(shards_of("x", 10))
    assert [one.first // 600 for one in queue.take("a")] == [0, 1]
    assert [one.first // 600 for one in queue.take("b")] == [6, 7]


def test_small_shards_are_given_out_by_their_records() -> None:
    """Catches a folder of small files whose actors wait for the next order, and a feeder that hoards a whole job."""
    queue = ShardQueue()
    for number in range(200):
        queue.add(shards_of(f"in{number}", 1, records=1))
    assert len(queue.take("a")) == MOST_SHARDS_OUT
    queue = ShardQueue()
    queue.add(shards_of("x", 9, records=ENOUGH_RECORDS_OUT))
    assert len(queue.take("a")) == LEAST_SHARDS_OUT
    assert queue.take("a") == ()


def test_what_a_lost_feeder_had_comes_first() -> None:
    """Catches a file that ends days later than the others, since a feeder died while it had its last shard."""
    queue = ShardQueue()
    queue.add(shards_of("x", 4))
    queue.add(shards_of("y", 4))
    queue.take("a")
    assert queue.put_back(queue.lose("a")) == ()
    assert [one.shard_id for one in queue.take("b")] == [one.shard_id for one in shards_of("x", 2)]


def test_a_shard_that_ends_feeders_is_found_and_given_up() -> None:
    """Catches one poisonous shard that ends feeder after feeder for ever, and its neighbours given up in its place."""
    queue = ShardQueue()
    queue.add(shards_of("x", 6))
    poison = shards_of("x", 6)[2].shard_id
    ended: list[str] = []
    for number in range(20):
        feeder = f"feeder-{number}"
        had = [one.shard_id for one in queue.take(feeder)]
        while had and poison != had[0]:
            queue.end(feeder, had[0])
            ended.append(had.pop(0))
            had += [one.shard_id for one in queue.take(feeder)]
        if not had:
            break
        given_up = queue.put_back(queue.lose(feeder))
        if given_up:
            assert [one.shard_id for one in given_up] == [poison]
    assert queue.is_empty
    assert sorted(ended) == [one.shard_id for one in shards_of("x", 6) if one.shard_id != poison]
