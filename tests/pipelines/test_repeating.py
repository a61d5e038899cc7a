"""What is done now and then beside the work proper."""

import threading

from pipelines.watch.progress import repeating


def test_it_is_done_at_once_again_and_no_more_when_the_block_is_left() -> None:
    """Catches a thread that outlives its block, or a first time that comes late."""
    times, third = list[int](), threading.Event()

    def act() -> None:
        times.append(len(times))
        if len(times) == 3:
            third.set()

    with repeating(act, every_seconds=0.001, name="test-repeating"):
        assert third.wait(30)
    assert not any(thread.name == "test-repeating" for thread in threading.enumerate())
    with repeating(times.clear, every_seconds=3600, name="test-repeating"):
        pass
    assert times == []
