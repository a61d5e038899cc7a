"""The precision of a store: fixed by its first run, changed by name only."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioner_core.errors import StoreError
from bioner_core.labels.label_set import LabelSetChoice, default_label_sets
from bioner_core.models.precision import AUTO
from bioner_core.store.history.model_notes import read_pin
from bioner_core.store.layout import ShardDescriptor, Store
from bioner_core.store.manifest import Counts, Manifest, write_manifest
from jobs.runs import annotator as annotator_module
from jobs.runs.annotator import NULL, AnnotatorChoice
from jobs.runs.store_precision import in_store_precision, pin_precision
from pipelines.job import decode_fingerprint

pytestmark = pytest.mark.usefixtures("pulled_base")


def of(model: Path, precision: str = AUTO) -> AnnotatorChoice:
    """A choice of this model."""
    return AnnotatorChoice(label_sets=default_label_sets(), model=str(model), precision=precision)


def on_gpu(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let this machine have so many GPUs: with one, `auto` is bfloat16, whatever the processor."""
    monkeypatch.setattr(annotator_module, "visible_gpus", lambda: count)


def made_by(choice: AnnotatorChoice, store: Path) -> None:
    """Commit the manifest of a shard of three documents that this annotator made."""
    shard = ShardDescriptor("in-0-3", "jsonl", "in.jsonl", "jsonl", 0, 3, "d")
    label_sets = [LabelSetChoice(one.name, one.languages) for one in choice.label_sets]
    manifest = Manifest(
        **{name: getattr(shard, name) for name in ("shard_id", "source", "input_file", "format_name", "first", "last")},
        input_digest="d",
        fingerprint="f",
        label_sets=("genia",),
        counts=Counts(records_in=3, annotated=3),
        seconds=1.0,
        files=(),
        schema_version=3,
        software_version="1",
        created="2026-01-01T00:00:00+00:00",
        decode_fingerprint=decode_fingerprint(choice.fingerprint(), label_sets),
    )
    write_manifest(Store(store), manifest)


def test_the_first_run_pins_what_auto_came_to(
    model_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a store that a second machine goes on with in its own precision, so that all is annotated anew and two
    kinds of scores stand side by side."""
    on_gpu(monkeypatch, 1)
    first = in_store_precision(of(model_card), Store(tmp_path))
    pin_precision(first, Store(tmp_path))
    on_gpu(monkeypatch, 0)
    later = in_store_precision(of(model_card), Store(tmp_path))
    assert (first.precision, later.precision) == ("bfloat16", "bfloat16")
    assert later.fingerprint() == first.fingerprint()
    assert "first run" in later.precision_in_words
    pin = read_pin(Store(tmp_path))
    assert pin is not None
    assert "GPU" in pin.reason


def test_looking_pins_nothing(model_card: Path, tmp_path: Path) -> None:
    """Catches a dry run, or a run without a model, that decides for all later ones."""
    in_store_precision(of(model_card), Store(tmp_path))
    pin_precision(AnnotatorChoice(label_sets=default_label_sets(), kind=NULL), Store(tmp_path))
    assert not (Store(tmp_path).precision).exists()


def test_a_change_is_asked_for_by_name_and_says_what_it_costs(
    model_card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a change of precision that quietly annotates a whole store anew, and one that is not kept."""
    pin_precision(of(model_card, "float32"), Store(tmp_path))
    made_by(of(model_card, "float32"), tmp_path)
    assert capsys.readouterr().err == ""
    pin_precision(of(model_card, "bfloat16"), Store(tmp_path))
    said = capsys.readouterr().err
    assert "was float32 and is bfloat16" in said
    assert "3 documents" in said
    assert in_store_precision(of(model_card), Store(tmp_path)).precision == "bfloat16"


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_store_from_before_pins_keeps_its_precision(model_card: Path, tmp_path: Path, precision: str) -> None:
    """Catches a new version that annotates every older store anew since it chooses another precision."""
    made_by(of(model_card, precision), tmp_path)
    assert in_store_precision(of(model_card), Store(tmp_path)).precision == precision


def test_another_model_on_an_older_store_chooses_for_itself(model_card: Path, tmp_path: Path) -> None:
    """Catches a choice among precisions of shards that this model never made."""
    made_by(replace(of(model_card, "bfloat16"), use_selector=False), tmp_path)
    assert in_store_precision(of(model_card), Store(tmp_path)).precision == of(model_card).precision_choice.name


def test_an_older_store_is_looked_at_on_a_gpu(
    model_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a precision of processors alone, asked whether it made the shards, that ends every run on a GPU."""
    made_by(replace(of(model_card, "float32"), use_selector=False), tmp_path)
    on_gpu(monkeypatch, 1)
    assert in_store_precision(of(model_card), Store(tmp_path)).precision == "bfloat16"


def test_a_damaged_pin_is_an_error_that_says_what_to_do(model_card: Path, tmp_path: Path) -> None:
    """Catches a damaged file that is taken for none, so that the store changes its precision."""
    (Store(tmp_path).precision).write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match="--precision"):
        in_store_precision(of(model_card), Store(tmp_path))


def test_a_damaged_pin_is_what_the_shards_were_made_in(model_card: Path, tmp_path: Path) -> None:
    """Catches a night that ends for a file that the store's own shards make needless."""
    made_by(of(model_card, "float32"), tmp_path)
    (Store(tmp_path).precision).write_text("{", encoding="utf-8")
    assert in_store_precision(of(model_card), Store(tmp_path)).precision == "float32"
    pin_precision(of(model_card, "float32"), Store(tmp_path))
    pin = read_pin(Store(tmp_path))
    assert pin is not None
    assert pin.precision == "float32"
