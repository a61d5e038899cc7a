"""The part `annotate` of a bench of a device: a whole job with the actor on it. Needs Ray and Beam."""

import importlib.util
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bioner_core.device_bench.parts import core_steps
from bioner_core.device_bench.sample_sentences import sample_records
from bioner_core.device_bench.settings import ANNOTATE, STAND_IN, DeviceBenchSettings
from bioner_core.device_bench.steps import Clock, Findings, Step, StepSkippedError
from bioner_core.models.directory import DEFAULT_MODEL
from bioner_core.spoken import spoken_count
from bioner_core.store.layout import Store

_SENTENCES_PER_DOCUMENT = 9
_GPU_DOCUMENTS, _CPU_DOCUMENTS = 3000, 4
_SAMPLE_SECONDS = 0.25
_NEEDED = ("ray", "apache_beam")


def all_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """The steps of every part."""
    steps = core_steps(settings, part)
    if part == ANNOTATE:
        steps.append(Step("annotate", 30, lambda clock, found: _annotate(settings, clock, found)))
    return steps


def _annotate(settings: DeviceBenchSettings, clock: Clock, found: Findings) -> None:
    """`bioner annotate` over documents of sample sentences, in a process of its own, and how busy the GPU is."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise StepSkippedError(f"{' and '.join(missing)} cannot be imported here")
    import torch

    on_gpu = torch.cuda.is_available() and settings.device in (None, "cuda")
    model = settings.model or (DEFAULT_MODEL if on_gpu else STAND_IN)
    with tempfile.TemporaryDirectory() as folder:
        documents = _GPU_DOCUMENTS if on_gpu else _CPU_DOCUMENTS
        source = Path(folder) / "samples.jsonl"
        _write_documents(source, documents)
        command = _command(settings, model, source, Store(Path(folder) / "store"), on_gpu=on_gpu)
        with busy_shares(on_gpu=on_gpu) as shares:
            started = time.perf_counter()
            done = subprocess.run(  # noqa: S603 - our own command
                command, capture_output=True, text=True, check=False, timeout=max(10.0, clock.left)
            )
            seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"annotate ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    found.note("without a model" if model == STAND_IN else model, model=model)
    _note(json.loads(done.stdout), shares, documents, seconds, found)


def _command(settings: DeviceBenchSettings, model: str, source: Path, store: Store, *, on_gpu: bool) -> list[str]:
    gpus = ["--gpus-per-actor", "1"] if on_gpu else []
    # A stand-in has no files that an actor could load: then all but the model is run.
    annotator = ["--annotator", "null"] if model == STAND_IN else ["--model", model]
    return [
        *(sys.executable, "-m", "jobs.main", "annotate", str(source), "--store", str(store), "--quiet", "--json"),
        *(*annotator, "--label-set", settings.label_set, "--actors", "1", *gpus),
    ]


def _note(result: dict[str, Any], shares: list[float], documents: int, seconds: float, found: Findings) -> None:
    taken = result.get("seconds") or seconds
    # From the first sample at work to the last: starting Ray and loading the model is not what is asked.
    working = [place for place, share in enumerate(shares) if share > 0]
    busy = shares[working[0] : working[-1] + 1] if working else []
    share = sum(busy) / len(busy) if busy else None
    said = "no GPU counters" if share is None else f"GPU busy {share:.0%} between its first and last work"
    found.note(
        f"{spoken_count(documents, 'document')} in {taken:.1f} s, {documents / taken:.1f}/s; {said}",
        documents=documents,
        documents_per_second=documents / taken,
        seconds=seconds,
        busy_share=share,
        result=result,
    )


def _write_documents(path: Path, count: int) -> None:
    texts = [one.text for one in sample_records(count * _SENTENCES_PER_DOCUMENT)]
    with path.open("w", encoding="utf-8") as file:
        for index in range(count):
            first = index * _SENTENCES_PER_DOCUMENT
            text = " ".join(texts[first : first + _SENTENCES_PER_DOCUMENT])
            file.write(json.dumps({"id": str(index + 1), "lang": "en", "text": text, "entities": []}) + "\n")


@contextmanager
def busy_shares(*, on_gpu: bool) -> Iterator[list[float]]:
    """Within the block, the share of time that the GPU is busy is read a few times per second into the list."""
    shares: list[float] = []
    stop = threading.Event()
    reader = threading.Thread(target=_read_shares, args=(shares, stop), daemon=True)
    if on_gpu:
        reader.start()
    try:
        yield shares
    finally:
        stop.set()
        if reader.ident is not None:
            reader.join()


def _read_shares(shares: list[float], stop: threading.Event) -> None:
    """Through NVIDIA's library where it is installed, else through the command that comes with every driver."""
    import torch

    read = torch.cuda.utilization if importlib.util.find_spec("pynvml") is not None else _told_by_command
    while not stop.wait(_SAMPLE_SECONDS):
        percent = read()
        if percent is None:
            return
        shares.append(percent / 100)


def _told_by_command() -> int | None:
    """What `nvidia-smi` says of the first GPU, in percent; None where it says nothing."""
    words = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=5)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout.strip()
    return int(said) if said.isdecimal() else None
