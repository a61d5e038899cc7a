"""What is fuzzed: every reader of documents, of annotated corpora and of vocabularies, and every small file of a store
or a model that somebody else may have written.

A target makes what it needs once, and returns a function of bytes that raises nothing but what is a defect of ours.
"""

import atexit
import io
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from bioner_core.concepts.readers.registry import FORMS as VOCABULARY_FORMS
from bioner_core.concepts.readers.registry import read_concepts
from bioner_core.errors import BionerError
from bioner_core.formats.contract import Reader
from bioner_core.formats.registry import READERS
from bioner_core.formats.stream import DumpStream, RawFile
from bioner_core.gold.forms import FORMS as GOLD_FORMS
from bioner_core.gold.forms import read_form
from bioner_core.labels.label_set import load_label_set
from bioner_core.linking.link_table import current_links
from bioner_core.models.model_card import read_card
from bioner_core.records import Record
from bioner_core.store.history.ledger import applied_files, job_runs, reloads
from bioner_core.store.history.lock_claims import latest_claim
from bioner_core.store.history.model_notes import model_words, read_pin
from bioner_core.store.layout import Store
from bioner_core.store.manifest import manifest_from_json
from bioner_core.store.snapshot.snapshot_manifest import current_id, read_snapshot_manifest
from pipelines.job_report import read_report
from pipelines.plan_record import read_plan
from pipelines.sync.download import stated_md5
from pipelines.watch.live_note import read_live_note

OneInput = Callable[[bytes], None]

_SNAPSHOT = "20260101T000000_000000Z-0123456789ab"


def _stream(data: bytes) -> DumpStream:
    return DumpStream(RawFile(io.BytesIO(data), name="fuzz", digested=False))


def _of_reader(reader: Reader) -> OneInput:
    """Records of one file: numbered without a gap, as many as are counted, and storable."""

    def one_input(data: bytes) -> None:
        stream = _stream(data)
        if not stream.head.strip():
            return
        records: list[Record] = list(reader.read(stream, input_file="fuzz", first=0, last=None))
        numbers = [_number(one) for one in records]
        if numbers != list(range(len(records))):
            raise AssertionError(f"record numbers {numbers[:20]}")
        counted = reader.count(_stream(data))
        if counted != len(records):
            raise AssertionError(f"{counted} records are counted, and {len(records)} read")

    return one_input


def _number(record: Record) -> int:
    meta = getattr(record, "meta", None)
    return int(meta.record_number if meta is not None else record.record_number)  # type: ignore[union-attr]


def _new_folder() -> Path:
    """An empty folder, which goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="bioner-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _of_file(name: str, read: Callable[[Store], object]) -> OneInput:
    """Reading the folder in which the bytes are the file `name`; only bioner's own errors are expected."""
    store = Store(_new_folder())
    path = store.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def one_input(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(BionerError):
            read(store)

    return one_input


def _of_gold(form: str) -> OneInput:
    """Records of a corpus whose offsets are those of its texts."""

    def read(store: Store) -> None:
        for one in read_form(store.folder / "corpus", form):
            if one.record is not None:
                spans = [(span.start, span.end) for span in one.record.spans]
                if any(not 0 <= start < end <= len(one.record.text) for start, end in spans):
                    raise AssertionError(f"{spans[:5]} in a text of {len(one.record.text)}")

    return _of_file("corpus", read)


def _of_brat(data: bytes) -> tuple[bytes, bytes]:
    """Text and annotations, from one input: what stands before the first form feed, and what behind."""
    text, _, marks = data.partition(b"\f")
    return text, marks


def _brat() -> OneInput:
    folder = _new_folder()

    def one_input(data: bytes) -> None:
        for name, content in zip(("a.txt", "a.ann"), _of_brat(data), strict=True):
            (folder / name).write_bytes(content)
        with suppress(BionerError):
            list(read_form(folder, "brat"))

    return one_input


def _of_vocabulary(form: str) -> OneInput:
    return _of_file("terms.rrf", lambda store: list(read_concepts(store.folder / "terms.rrf", form=form, prefix="X")))


def _of_text(read: Callable[[str], object]) -> OneInput:
    def one_input(data: bytes) -> None:
        with suppress(BionerError):
            read(data.decode("utf-8", "replace"))

    return one_input


_FILES: dict[str, tuple[str, Callable[[Store], object]]] = {
    "snapshot_manifest": (
        f"snapshots/{_SNAPSHOT}/manifest.json",
        lambda store: read_snapshot_manifest(store, _SNAPSHOT),
    ),
    "snapshot_current": ("CURRENT", current_id),
    "plan": ("plans/key.json", lambda store: read_plan(store, "key")),
    "job_report": ("jobs/run.json", lambda store: read_report(store.jobs / "run.json")),
    "live_note": ("jobs/.live-host-1.json", read_live_note),
    "ledger_entry": ("ledger/pubmed/one.json", lambda store: applied_files(store, "pubmed")),
    "ledger_run": ("ledger/runs/one.json", job_runs),
    "ledger_reload": ("ledger/reloads/one.json", lambda store: reloads(store, "pubmed")),
    "lock_claim": ("locks/store-00000001.json", lambda store: latest_claim(store, "store")),
    "model_note": ("models/key.json", lambda store: model_words(store, "key")),
    "links_page": ("links/CURRENT.json", current_links),
    "store_precision": ("precision.json", read_pin),
    "model_card": ("model.toml", lambda store: read_card(store.folder)),
    "label_set": ("one.toml", lambda store: load_label_set(str(store.file("one.toml")))),
}

TARGETS: dict[str, Callable[[], OneInput]] = {
    **{reader.name: partial(_of_reader, reader) for reader in READERS},
    **{f"gold_{name}": partial(_of_gold, name) for name in GOLD_FORMS if name != "brat"},
    "gold_brat": _brat,
    **{f"vocabulary_{name}": partial(_of_vocabulary, name) for name in VOCABULARY_FORMS},
    **{name: partial(_of_file, *file) for name, file in _FILES.items()},
    "manifest": partial(_of_text, lambda text: manifest_from_json(text, where="fuzz")),
    "md5_companion": partial(_of_text, lambda text: stated_md5(text, name="a.gz")),
}
"""By name: what makes the function of each target."""
