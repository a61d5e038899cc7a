"""The figures of a bench of the pipeline, and the JSON object that `bioner bench pipeline --json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """One run of the pipeline.

    `document_sentences` is the length that documents were given, None where they were left as they are. `seconds` is
    the wall time of the run, reading, commits and its end included, without the start of Ray and of the actors.
    `first_document_seconds` and `first_shard_seconds` are counted from before that start. Memory is in bytes, the
    highest of the process. `summary` is all that `bioner annotate --json` tells of the run, or `backfill --json`.
    """

    annotator: str
    actors: int
    document_sentences: int | None
    documents: int
    sentences: int
    seconds: float
    actor_busy_share: float | None
    first_document_seconds: float | None
    first_shard_seconds: float | None
    feeder_cpu_seconds: float | None
    feeder_peak_memory: int | None
    actor_peak_memory: int | None
    summary: Mapping[str, Any]
    feeders: int = 1

    @property
    def documents_per_second(self) -> float:
        """Documents annotated in a second of the run."""
        return self.documents / max(self.seconds, 1e-9)

    @property
    def sentences_per_second(self) -> float:
        """Their sentences in a second of the run."""
        return self.sentences / max(self.seconds, 1e-9)

    @property
    def feeder_cpu_share(self) -> float | None:
        """Processors that the feeder kept busy: 1 is one whole processor."""
        return None if self.feeder_cpu_seconds is None else self.feeder_cpu_seconds / max(self.seconds, 1e-9)


@dataclass(frozen=True, slots=True)
class PipelineBench:
    """All runs in their order, what a simulated batch takes (None where none was simulated), and the machine."""

    points: tuple[PipelineFigures, ...]
    seconds_per_batch: float | None
    machine: Mapping[str, Any]

    def linear_share(self, point: PipelineFigures) -> float | None:
        """The rate of a run through that which its actors would have if each were as fast as the fewest.

        The fewest actors are those of the same annotator on documents of the same length; None for that run itself.
        """
        alike = [
            one
            for one in self.points
            if (one.annotator, one.document_sentences) == (point.annotator, point.document_sentences)
        ]
        base = min(alike, key=lambda one: one.actors)
        if base.actors == point.actors:
            return None
        return point.documents_per_second / base.documents_per_second * base.actors / point.actors

    def to_json(self) -> dict[str, Any]:
        """The figures of the last run at the top level, those of every run under `points`."""
        points = [self._point(one) for one in self.points]
        about = {"machine": dict(self.machine), "seconds_per_batch": self.seconds_per_batch, "points": points}
        return {**points[-1], **about}

    def _point(self, point: PipelineFigures) -> dict[str, Any]:
        named = {name: getattr(point, name) for name in point.__slots__ if name != "summary"}
        shares = {"linear_share": self.linear_share(point), "feeder_cpu_share": point.feeder_cpu_share}
        return {
            **point.summary,
            **named,
            "documents_per_second": round(point.documents_per_second, 3),
            "sentences_per_second": round(point.sentences_per_second, 3),
            **{name: None if value is None else round(value, 4) for name, value in shares.items()},
        }
