"""Stores for the tests of the verbs that read one, made by the real pipeline and an annotator that finds every word."""

import json
from collections.abc import Sequence
from pathlib import Path

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.inference.annotation import AnnotationRequest, NullAnnotator, RowError, RowResult
from bioner_core.labels.label_set import LabelSetChoice, default_label_sets
from bioner_core.mentions import Candidate
from bioner_core.records import RejectReason
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation
from pipelines.job import AnnotationJob

ENGLISH = "CD28 binds"
CHINESE = "肺炎患者"
HOSTILE = "p53 \x1b[2J[bold]red"


class WordService:
    """Finds each word, its first letter nested in it, and turns down every second letter."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates for each request."""
        return [_words(request.text) for request in requests]


class Ailing:
    """Fails for every sentence about illness."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """An error, or nothing found."""
        return [RowError(RejectReason.DEADLINE, "too slow") if "ill" in one.text else () for one in requests]


class Well:
    """Finds the first letter of each sentence."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """One candidate per sentence."""
        return [(Candidate(0, 1, "letter", 1.0, 1.0, True),) for _ in requests]


def _words(text: str) -> RowResult:
    found: list[Candidate] = []
    start = 0
    for word in text.split(" "):
        end = start + len(word)
        if len(word) > 1:
            found.append(Candidate(start, end, "word", 2.0, 0.9, accepted=True))
            found.append(Candidate(start, start + 1, "letter", 0.5, 0.7, accepted=True))
            found.append(Candidate(end - 1, end, "letter", 0.1, 0.2, accepted=False))
        start = end + 1
    return tuple(found)


def word_store(folder: Path) -> Path:
    """A store of two inputs of two sources, English and Chinese, with nested and turned-down mentions."""
    english = folder / "en.jsonl"
    texts = [ENGLISH, HOSTILE, "a b"]
    english.write_text("".join(json.dumps({"id": f"e{n}", "text": text}) + "\n" for n, text in enumerate(texts)))
    chinese = folder / "zh.txt"
    chinese.write_text(
        f"RT Journal Article\nSR 1\nA1 某人\nT1 {CHINESE}\nJF 示例\nYR 2025\nAB {CHINESE}。\n", encoding="utf-8"
    )
    store = folder / "store"
    finish = FinishSettings.of({one.name: 0.5 for one in default_label_sets()}, document_pass=False)
    job = null_job(store, english, chinese, fingerprint="words", finish=finish)
    run_annotation(job, service_factory=WordService)
    return store


def null_job(
    store: Path,
    *inputs: Path,
    fingerprint: str = NullAnnotator().fingerprint,
    finish: FinishSettings = FinishSettings(),  # noqa: B008  frozen
) -> AnnotationJob:
    """The job that `bioner annotate --annotator null` makes of these inputs."""
    return AnnotationJob(
        inputs=tuple(map(str, inputs)),
        store=Store(store),
        label_sets=tuple(LabelSetChoice(one.name, one.languages) for one in default_label_sets()),
        annotator_fingerprint=fingerprint,
        finish=finish,
    )
