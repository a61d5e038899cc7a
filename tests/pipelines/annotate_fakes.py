"""A service without a model, and inputs, for the tests of the Beam side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.errors import PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Candidate, Mention
from bioner_core.process_identity import ProcessIdentity
from bioner_core.records import RejectReason
from bioner_core.store.history.lock_claims import Claim, latest_claim, place_claim
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation
from pipelines.job import AnnotationJob
from pipelines.summary import JobSummary
from tests.stored_rows import mention_rows

POISON = "Poison"
ENGLISH = LabelSetChoice("genia", ("en",))
CHINESE = LabelSetChoice("cmeee", ("zh",))


class WordService:
    """Finds each word as one type and its first letter, nested in it, as another; counts what it is asked."""

    rows_asked = 0

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates for each request; a row error for a text with the poison word in it."""
        type(self).rows_asked += len(requests)
        return [_row(request.text) for request in requests]


class LosesTheStore(WordService):
    """Another job takes `store` over before rows with this word are answered."""

    store: ClassVar[Store]
    word = "Protein 12 "

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """The answers of the other one, too late or not."""
        if any(self.word in request.text for request in requests):
            take_over(self.store)
        return super().annotate(requests)


def take_over(store: Store) -> None:
    """Let a job of another host have the lock of a store, as after a long silence of its holder."""
    other = Claim(ProcessIdentity("elsewhere", 1, "then"), "r2", "another job", "2026-01-01")
    assert place_claim(store, "store", claim=other, after=latest_claim(store, "store"))


class BrokenPool:
    """A service whose actors are all gone; counts how often it is tried."""

    tries = 0

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Raise, as a client does that reaches no actor."""
        type(self).tries += 1
        raise PoolError("no actor is left")


class LossyService:
    """A service that breaks its promise and forgets the last row."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """One result too few."""
        return [() for _ in requests[1:]]


class NoSuchRowService:
    """A service that names spans outside the text."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """A span that ends past the text for each row that names the poison, none for the others."""
        wrong = (Candidate(0, 10_000, "a", 1.0, 1.0, True),)
        return [wrong if POISON in request.text else () for request in requests]


class MustNotBeAsked:
    """Fails as soon as it is made: for runs that must need no service."""

    def __init__(self) -> None:
        raise AssertionError("a service was asked for")

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Is never reached."""
        raise AssertionError


class CountingProgress:
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.total = self.fresh = self.skipped = self.calls = 0

    def planned(self, records: int) -> None:
        """More to do."""
        self.total += records

    def done(self, records: int, *, skipped: bool) -> None:
        """More done."""
        self.calls += 1
        if skipped:
            self.skipped += records
        else:
            self.fresh += records


def write_jsonl(path: Path, texts: Sequence[str], **fields: Any) -> str:
    """A JSON lines file with one document per text, with ids from 0; returns its name."""
    lines = [json.dumps({"id": str(number), "text": text} | fields) for number, text in enumerate(texts)]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def make_job(store: Path, *inputs: str, **settings: Any) -> AnnotationJob:
    """A job for these inputs, English and Chinese."""
    fixed = {
        "label_sets": (ENGLISH, CHINESE),
        "annotator_fingerprint": "model-1",
        "shard_records": 10,
        "finish": FinishSettings((("cmeee", 0.5), ("genia", 0.5)), document_pass=False),
    }
    return AnnotationJob(inputs=inputs, store=Store(store), **fixed | settings)


def run(job: AnnotationJob, service: type = WordService, **settings: Any) -> JobSummary:
    """Run a job with a service made from this class."""
    return run_annotation(job, service_factory=service, **settings)


def all_mentions(store: Path) -> list[Mention]:
    """Every mention of a store, in an order that does not depend on shards."""
    return sorted(mention_rows(Store(store)), key=lambda mention: mention.mention_id)


def _row(text: str) -> RowResult:
    if POISON in text:
        return RowError(
            RejectReason.ACTOR_DIED, "two actors died of this row \udc80", traceback="trace \ud800", attempts=2
        )
    found, start = [], 0
    for word in text.split(" "):
        end = start + len(word)
        if word:
            found.append(Candidate(start, start + 1, "letter", 0.5, 0.2, accepted=False))
            found.append(Candidate(start, end, "word", 1.0, 0.9, accepted=True))
        start = end + 1
    return tuple(found)
