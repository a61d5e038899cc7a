"""The soak's inputs: small files of invented abstracts, each also with a sentence that kills its reader."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from devtools.soak.annotator import FINGERPRINT, POISON, CalmAnnotator
from devtools.synthetic_abstracts import invented_abstracts
from pipelines.annotate import run_annotation
from pipelines.job import AnnotationJob

_DOCUMENTS = 24
_SHARD_RECORDS = 6
_MENTIONS = 20


@dataclass(frozen=True, slots=True)
class SoakInput:
    """An input file, and the store that an undisturbed run made of it. `poisoned` if one sentence is deadly."""

    path: Path
    calm_store: Store
    poisoned: bool


def make_corpus(folder: Path, *, seed: int, files: int) -> list[SoakInput]:
    """Write so many files, once calm and once poisoned, and annotate each undisturbed, in this process."""
    randomness = np.random.default_rng(seed)
    inputs: list[SoakInput] = []
    for number in range(files):
        texts = [one.text for one in invented_abstracts(_DOCUMENTS, mentions=_MENTIONS, randomness=randomness)]
        deadly = int(randomness.integers(_DOCUMENTS))
        inputs.append(_made(folder, f"calm-{number}", texts, poisoned=False))
        texts[deadly] = f"{texts[deadly]}. The drug {POISON} was given. Nobody noticed."
        inputs.append(_made(folder, f"poisoned-{number}", texts, poisoned=True))
    return inputs


def soak_job(path: Path, store: Store) -> AnnotationJob:
    """The job of one input, the same whether it is disturbed or not."""
    return AnnotationJob(
        inputs=(str(path),),
        store=store,
        label_sets=(LabelSetChoice("invented"),),
        annotator_fingerprint=FINGERPRINT,
        shard_records=_SHARD_RECORDS,
        max_reject_rate=1.0,
    )


def _made(folder: Path, name: str, texts: Sequence[str], *, poisoned: bool) -> SoakInput:
    folder.mkdir(parents=True, exist_ok=True)
    path, store = folder / f"{name}.jsonl", Store(folder / "stores" / name)
    lines = [json.dumps({"id": f"{name}-{number}", "text": text}) for number, text in enumerate(texts)]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    store.root.mkdir(parents=True, exist_ok=True)
    with StoreLock(store, purpose="soak, undisturbed"):
        run_annotation(soak_job(path, store), service_factory=CalmAnnotator)
    return SoakInput(path, store, poisoned)
