"""Annotators whose start fails or hangs once a flag is there. Built in actors by name."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from devtools.soak.annotator import CalmAnnotator


class DyingAnnotator(CalmAnnotator):
    """Gives calm answers to so many batches; then leaves a flag and dies."""

    def __init__(self, flag: Path, batches: int) -> None:
        self._flag = flag
        self._batches = batches

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Calm answers, while there are batches left."""
        self._batches -= 1
        if self._batches < 0:
            self._flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().annotate(requests)


def failing_after(flag: str, batches: int) -> DyingAnnotator:
    """The factory: raises while the flag is there."""
    if Path(flag).exists():
        raise ValueError("the model file is gone")
    return DyingAnnotator(Path(flag), batches)


def hanging_while(flag: str) -> CalmAnnotator:
    """A factory that does not return if the flag is there when it is called, and leaves its process id beside it."""
    if Path(flag).exists():
        Path(f"{flag}.{os.getpid()}").touch()
        time.sleep(3600)
    return CalmAnnotator()
