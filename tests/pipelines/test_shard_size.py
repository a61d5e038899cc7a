"""Shards that fit the device: about so many rows each, whatever the records' length."""

import json
from itertools import count
from pathlib import Path

import pytest
from annotate_fakes import CHINESE, ENGLISH, make_job, run, write_jsonl

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.records import Reject, RejectReason
from bioner_core.store.layout import Store
from pipelines.plan import SAMPLE_RECORDS, fitting_records, plan_input

_SENTENCE = "The gene was found in cells. "


def document(sentences: int) -> Document:
    """A document of so many English sentences."""
    passage = Passage("abstract", "", "en", (_SENTENCE * sentences).strip())
    return Document("d:1", "d", 1, "en", (passage,), DocumentMeta())


@pytest.mark.parametrize(
    ("sentences", "rows", "most", "expected"),
    [
        (10, 100, 1000, 10),  # a minute's work, whatever the records' number
        (10, 101, 1000, 11),
        (500, 100, 1000, 1),  # a whole article is more than a minute: never less than one record
        (1, 1e9, 1000, 1000),  # never more than asked for
        (1, 0.01, 1000, 1),
    ],
)
def test_as_many_records_as_have_the_rows(sentences: int, rows: float, most: int, expected: int) -> None:
    """Catches shards of hours on a processor, and of a second on a GPU."""
    records = [document(sentences)] * 4
    assert fitting_records(records, (ENGLISH, CHINESE), rows=rows, most=most) == expected


def test_records_without_rows_are_no_work() -> None:
    """Catches a division by zero, and a shard for each record of what costs nothing."""
    reject = Reject("d:1", "d", "in", 0, "read", RejectReason.NO_TEXT, "no text")
    assert fitting_records([reject], (ENGLISH,), rows=10, most=77) == 77
    assert fitting_records([document(3)], (CHINESE,), rows=10, most=77) == 77
    assert fitting_records([], (ENGLISH,), rows=10, most=77) == 77
    assert fitting_records([reject, document(3)], (ENGLISH,), rows=30, most=77) == 20


def test_a_large_input_is_not_read_for_it() -> None:
    """Catches a plan that splits a gigabyte of text into sentences to know how long they are."""
    taken = count()
    records = (document(1) for _ in zip(range(10 * SAMPLE_RECORDS), taken, strict=False))
    fitting_records(records, (ENGLISH,), rows=10, most=77)
    assert next(taken) == SAMPLE_RECORDS


def test_the_cut_is_kept_whatever_a_later_run_thinks_of_the_device(tmp_path: Path) -> None:
    """Catches a resumed run whose faster device cuts anew what is half committed."""
    name = write_jsonl(tmp_path / "in.jsonl", [_SENTENCE * 5] * 40)
    slow, fast = ({"shard_records": 1000, "shard_rows": rows, "label_sets": (ENGLISH,)} for rows in (50, 5000))
    first = plan_input(name, store=Store(tmp_path / "store"), **slow)
    assert [(one.first, one.last) for one in first] == [(0, 10), (10, 20), (20, 30), (30, 40)]
    assert plan_input(name, store=Store(tmp_path / "store"), **fast) == first
    assert len(plan_input(name, store=Store(tmp_path / "other"), **fast)) == 1


def test_a_small_input_is_more_than_one_shard_where_work_is_slow(tmp_path: Path) -> None:
    """Catches an interrupt that loses all of a small input, since it was one shard."""
    name = write_jsonl(tmp_path / "in.jsonl", [_SENTENCE * 5] * 20)
    job = make_job(tmp_path / "store", name, shard_records=1000, shard_rows=25)
    summary = run(job)
    assert (summary.shards_committed, summary.counts.annotated) == (4, 20)
    assert len(json.loads(next((tmp_path / "store" / "plans").iterdir()).read_text())["ranges"]) == 4
