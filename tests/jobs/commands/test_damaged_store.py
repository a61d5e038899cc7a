"""One bad file of a store stops no verb that shows the others; it is named, and `verify` says what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import WordService, null_job, word_store

from bioner_core.linking.link_table import LinkPage, link_writer, make_current
from bioner_core.store.history.ledger import AppliedFile, JobRun, Reload, record_applied, record_reload, record_run
from bioner_core.store.history.model_notes import note_model, write_pin
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.reading import read_manifests
from pipelines.annotate import run_annotation
from pipelines.job_report import read_report, renew_reports, report_paths
from pipelines.plan_record import read_plans

NOW = "2026-01-01T00:00:00.000000+00:00"


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _wrong_json(path: Path) -> None:
    path.write_text('{"a": [')


def _wrong_types(path: Path) -> None:
    if path.suffix != ".json":
        path.write_text("no Parquet")
        return
    flat = json.loads(path.read_text())
    flat.pop("checksum")
    path.write_text(json.dumps({name: [value, {}] for name, value in flat.items()}))


def _binary(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 50)


def _of_another_name(path: Path) -> None:
    path.rename(path.with_name(f"copy-of-{path.name}"))


DAMAGES: tuple[Callable[[Path], None], ...] = (_torn, _empty, _wrong_json, _wrong_types, _binary, _of_another_name)

ALWAYS_SHOWN = (
    "manifests",
    "plans",
    "jobs",
    "ledger/cnki",
    "ledger/reloads",
    "ledger/runs",
    "models",
    "precision.json",
)
"""Whose damage stops no verb: the rest is shown."""
TABLES = ("documents", "mentions")
OTHERS = ("links/CURRENT.json", "links/links")
MAY_BE_RENAMED = ("manifests", "plans")
"""Whose name says what they hold."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two inputs with every kind of small file."""
    store = word_store(tmp_path_factory.mktemp("whole"))
    first = next(read_manifests(Store(store)))
    record_applied(
        Store(store),
        AppliedFile(
            kind="cnki",
            name="en.jsonl",
            order=(1,),
            input_key=input_key_of(first.shard_id),
            bytes=1,
            md5="",
            sha256=first.input_digest,
            stamp="s",
            fingerprint=first.fingerprint,
            run_id="r",
            applied=NOW,
            seconds=0.0,
            rows_sent=0,
            counts=first.counts,
        ),
    )
    record_reload(
        Store(store), Reload(kind="pubmed", year=2020, run_id="r", applied=NOW, documents_before=1, documents_after=1)
    )
    record_run(
        Store(store), JobRun(run_id="r", job="nightly cnki", started=NOW, seconds=1.0, applied=("a",), exit_code=0)
    )
    note_model(Store(store), first.fingerprint, words={"model": "words"})
    write_pin(Store(store), precision="float32", reason="asked for by name", processor="x")
    with link_writer(Store(store), "run", fingerprint="f"):
        pass
    make_current(Store(store), LinkPage("run", "shards", "f", {}, 0, 0, 0, NOW))
    return store


def _file_of(store: Path, kind: str) -> Path:
    found = [store / kind] if (store / kind).is_file() else sorted((store / kind).rglob("[!.]*"))
    found = found or sorted((store / kind).parent.glob(f"{Path(kind).name}-*"))
    return next(path for path in found if path.is_file())


KINDS = (*ALWAYS_SHOWN, *TABLES, *OTHERS)
CASES = [
    # Fast: each kind of file with one or two damages, each damage with several kinds of file.
    pytest.param(kind, damage, marks=[] if (place - number) % len(DAMAGES) in (0, 3) else [pytest.mark.slow])
    for number, kind in enumerate(KINDS)
    for place, damage in enumerate(DAMAGES)
    if damage is not _of_another_name or kind in MAY_BE_RENAMED
]


@pytest.mark.parametrize(("kind", "damage"), CASES, ids=lambda one: getattr(one, "__name__", str(one)).strip("_"))
def test_one_bad_file_stops_no_verb(
    bioner: Command, whole: Path, tmp_path: Path, kind: str, damage: Callable[[Path], None]
) -> None:
    """Catches a kilobyte of damage that takes the whole store from whoever asks it, or that nobody is told of."""
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    bad = _file_of(store, kind)
    damage(bad)
    shard = bad.stem if kind == "manifests" else bad.parent.name
    for words in (["status"], ["query", "SELECT count(*) AS n FROM documents", "--format", "csv"], ["report"]):
        done = bioner(*words, "--store", store)
        told = done.out + done.err
        assert "Traceback" not in told
        if done.code:
            assert kind in OTHERS
            assert "links" in told
            assert "emove" in told or "again" in told or "verify" in told
    done = bioner("query", "SELECT count(*) AS n FROM documents", "--format", "csv", "--store", store)
    if kind == "manifests" or kind in TABLES:
        assert shard in done.err
        assert int(done.out.split()[-1]) < 4, "the shard is left out"
    elif kind in ALWAYS_SHOWN:
        assert int(done.out.split()[-1]) == 4
    done = bioner("verify", "--store", store, "--json")
    faults = [one for one in json.loads(done.out)["faults"] if bad.name in one or shard in one]
    assert done.code == 1
    assert faults, done.out
    assert any("emove" in one or "made anew" in one or "annotate" in one for one in faults)


@pytest.mark.parametrize("damage", DAMAGES[:5], ids=lambda one: one.__name__.strip("_"))
def test_the_next_run_makes_manifest_plan_and_report_anew(
    bioner: Command, whole: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Catches damage that is told night after night, and that only a person can remove."""
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    whole_runs = {path.stem: _committed(path) for path in report_paths(Store(store))}
    plans = list(read_plans(Store(store)))
    for kind in ("manifests", "plans", "jobs"):
        damage(_file_of(store, kind))
    inputs = (whole.parent / "en.jsonl", whole.parent / "zh.txt")
    summary = run_annotation(null_job(store, *inputs, fingerprint="words"), service_factory=WordService)
    assert summary.exit_code() == 0
    assert summary.shards_committed + summary.shards_skipped + summary.shards_refinished == 2
    assert sorted(read_plans(Store(store)), key=lambda one: one.key) == sorted(plans, key=lambda one: one.key)
    assert len(list(read_manifests(Store(store)))) == 2
    [told] = renew_reports(Store(store))
    assert "made anew" in told
    [first, *_] = report_paths(Store(store))
    assert _committed(first) <= whole_runs[first.stem]
    assert renew_reports(Store(store)) == []
    done = bioner("verify", "--store", store, "--json")
    assert json.loads(done.out)["faults"] == []


def _committed(report: Path) -> set[str]:
    return {one.shard_id for one in read_report(report).outcomes}
