"""Annotators without a model, that do to their process whatever the text tells them. Imported by actors by name."""

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from bioner_core.errors import AnnotatorOutOfMemoryError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchLimits
from bioner_core.mentions import Candidate


def answer(request: AnnotationRequest) -> RowResult:
    """The right answer to a request: it holds the request's text, so that a misplaced answer shows."""
    return (Candidate(0, len(request.text), request.text, 1.0, 1.0, True),)


class ObedientAnnotator:
    """Does what the first word of each text says, then answers; a text of other words is just answered.

    `once PATH WORD...` obeys the words only while the file at PATH is absent, and makes it first.
    """

    @property
    def fingerprint(self) -> str:
        """A constant."""
        return "obedient"

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Obey each text, then answer all."""
        for request in requests:
            self._obey(request.text.split(), len(requests))
        extra = any(request.text.startswith("miscount") for request in requests)
        return [answer(request) for request in requests] + [()] * extra

    def _obey(self, words: list[str], rows: int) -> None:
        match words:
            case ["once", path, *rest]:
                if not Path(path).exists():
                    Path(path).touch()
                    self._obey(rest, rows)
            case ["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["raise", message]:
                raise ValueError(message)
            case ["cuda"]:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            case ["sleep", seconds, *_]:
                time.sleep(float(seconds))
            case ["stop"]:
                os.kill(os.getpid(), signal.SIGSTOP)
            case ["hold"]:
                ctypes.PyDLL(None).sleep(600)  # a PyDLL call keeps the interpreter lock
            case ["oom-above", limit] if rows > int(limit):
                raise AnnotatorOutOfMemoryError(f"{rows} rows do not fit")


def obedient() -> ObedientAnnotator:
    """The factory of the ordinary fake."""
    return ObedientAnnotator()


def broken(starts: str) -> ObedientAnnotator:
    """A factory that always raises, and counts its calls as lines of the file `starts`."""
    with Path(starts).open("a") as file:
        file.write(f"{os.getpid()}\n")
    raise ValueError("no such model as snark-7b")


def broken_once(flag: str) -> ObedientAnnotator:
    """A factory that raises until the file `flag` exists, which it makes."""
    if not Path(flag).exists():
        Path(flag).touch()
        raise ValueError("the first start fails")
    return ObedientAnnotator()


def broken_when(flag: str) -> ObedientAnnotator:
    """A factory that raises while the file `flag` exists."""
    if Path(flag).exists():
        raise ValueError("the model file is gone")
    return ObedientAnnotator()


def speechless() -> ObedientAnnotator:
    """A factory that never returns."""
    time.sleep(600)
    return ObedientAnnotator()


class LimitedAnnotator(ObedientAnnotator):
    """The ordinary fake, on a small device."""

    def __init__(self, token_budget: int) -> None:
        self.limits = BatchLimits.of_budget(token_budget)


def limited(token_budget: int) -> LimitedAnnotator:
    """The factory of a fake that has found limits for its device."""
    return LimitedAnnotator(token_budget)


def loads_once(flag: str) -> ObedientAnnotator:
    """A factory that returns for the first caller, which makes the file `flag`, and never for another."""
    if Path(flag).exists():
        time.sleep(600)
    Path(flag).touch()
    return ObedientAnnotator()


def broken_at(starts: str) -> ObedientAnnotator:
    """A factory that always raises, and notes when, in seconds, as lines of the file `starts`."""
    with Path(starts).open("a") as file:
        file.write(f"{time.time()}\n")
    raise ValueError("no such model as snark-7b")


class LoggingAnnotator(ObedientAnnotator):
    """Takes a fixed time a batch, and notes the first word of each batch as a line of the file `log`."""

    def __init__(self, log: str, seconds: float) -> None:
        self._log = Path(log)
        self._seconds = seconds

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Note, wait, answer."""
        with self._log.open("a") as file:
            file.write(requests[0].text.split()[0] + "\n")
        time.sleep(self._seconds)
        return [answer(request) for request in requests]


def logging(log: str, seconds: float) -> LoggingAnnotator:
    """The factory of the fake that notes the order of its work."""
    return LoggingAnnotator(log, seconds)


class OtherAnnotator(ObedientAnnotator):
    """The ordinary fake, of another model."""

    @property
    def fingerprint(self) -> str:
        """Another constant."""
        return "other"


def other() -> OtherAnnotator:
    """The factory of a fake of another model."""
    return OtherAnnotator()


def waits_its_turn(folder: str) -> ObedientAnnotator:
    """A factory that returns for the first caller, and for the others once there is a file `go` in the folder."""
    try:
        Path(folder, "first").touch(exist_ok=False)
    except FileExistsError:
        while not Path(folder, "go").exists():
            time.sleep(0.05)
    return ObedientAnnotator()
