"""In which order inputs follow each other, one rule after another."""

import dataclasses

from store_samples import descriptor

from bioner_core.store.history.input_order import InputOrder
from bioner_core.store.manifest import Counts, Manifest

MANIFEST = Manifest(
    shard_id=descriptor().shard_id,
    source="pubmed",
    input_file="/in/dump.xml",
    format_name="pubmed",
    input_digest="d1",
    first=0,
    last=4,
    fingerprint="f",
    label_sets=("genia",),
    counts=Counts(),
    seconds=1.0,
    files=(),
    schema_version=2,
    software_version="0",
    created="2026-02-02",
)


def input_order(first_year: int = 0, retired: frozenset[str] = frozenset()) -> InputOrder:
    """The ledger knows the order of one input."""
    return InputOrder({"known": (26, 7)}, retired, first_year)


def named(name: str, source: str = "pubmed") -> list[Manifest]:
    """The manifests of two shards of an input of this name."""
    one = dataclasses.replace(MANIFEST, input_file=name, source=source)
    return [one, dataclasses.replace(one, first=4, last=8, created="2026-01-01")]


def test_the_ledger_comes_before_the_name_and_the_name_before_the_time() -> None:
    """Catches an order that is read off a file's name although the ledger says otherwise."""
    release = "/d/pubmed26n0003.xml.gz"
    assert input_order().place("known", named(release)) == (1, (26, 7), "")
    place = input_order().place("other", named(release))
    assert place is not None
    assert place[0] == 1
    assert place[1][-1] == 3
    assert input_order().place("other", named("/d/dump.xml")) == (0, (), "2026-01-01")
    assert input_order().place("other", []) == (0, (), "")


def test_what_was_first_committed_counts_not_what_was_made_anew() -> None:
    """Catches an input that overtakes newer ones because it was annotated again with another model."""
    anew = [dataclasses.replace(one, first_created="2025-05-05") for one in named("/d/dump.xml")]
    assert input_order().place("other", anew) == (0, (), "2025-05-05")


def test_what_was_published_anew_or_is_older_than_the_last_reload_counts_no_more() -> None:
    """Catches withdrawn articles that come back from a release of last year, and other sources that go with it."""
    release = named("/d/pubmed26n0003.xml.gz")
    place = input_order().place("other", release)
    assert place is not None
    year = place[1][0]
    assert input_order(first_year=year).place("other", release) == place
    assert input_order(first_year=year + 1).place("other", release) is None
    assert input_order(first_year=1).place("other", named("/d/dump.xml")) is None
    assert input_order(first_year=1).place("other", named("/d/dump.xml", source="cnki")) is not None
    assert input_order(retired=frozenset({"other"})).place("other", named("/d/dump.xml", source="cnki")) is None
