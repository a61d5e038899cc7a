"""Something done now and then beside the work proper."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(act: Callable[[], None], *, every_seconds: float, name: str) -> Iterator[None]:
    """Call `act` at once and then every so many seconds, in a thread of its own, until the block is left.

    When that is, a call that has begun is ended first.
    """
    ended = threading.Event()

    def repeat() -> None:
        while True:
            act()
            if ended.wait(every_seconds):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
