"""How long a night may take, before it begins."""

import pytest

from bioner_core.store.history.ledger import AppliedFile
from bioner_core.store.manifest import Counts
from pipelines.nightly.estimate import ARTICLE_GUESS, EXPORT_GUESS, RELEASE_GUESS, estimate
from pipelines.sync.listing import ListedFile


def listed(size: int | None) -> ListedFile:
    """A file of so many bytes."""
    return ListedFile("a.txt", "/in/a.txt", "in", "stamp", size)


def applied(size: int, records: int, *, seconds: float, fingerprint: str = "ours") -> AppliedFile:
    """A file that an earlier run took so long for."""
    return AppliedFile(
        kind="cnki",
        name="old.txt",
        order=(1,),
        input_key="k",
        bytes=size,
        md5="",
        sha256="",
        stamp="",
        fingerprint=fingerprint,
        run_id="r",
        applied="2026-01-01",
        seconds=seconds,
        rows_sent=records,
        counts=Counts(records_in=records, annotated=records),
    )


def test_a_guess_goes_by_size_where_it_is_known() -> None:
    """Catches hours that are foretold for a folder of four small exports."""
    small = estimate([listed(3_000), listed(10)], [], fingerprint="ours", guess=EXPORT_GUESS)
    assert (small.files, small.records, small.seconds, small.measured) == (2, 3, 3.0, False)
    unknown = estimate([listed(None)] * 2, [], fingerprint="ours", guess=RELEASE_GUESS)
    assert unknown.records == 60_000


def test_an_article_is_one_whatever_is_packed_with_it() -> None:
    """Catches articles that are counted by the bytes of their figures."""
    assert estimate([listed(90_000_000)] * 3, [], fingerprint="ours", guess=ARTICLE_GUESS).records == 3


def test_what_was_measured_comes_before_a_guess() -> None:
    """Catches rates of another model, and sizes that a measured store forgets."""
    entries = [
        applied(1_000, 10, seconds=5.0),
        applied(1_000, 10, seconds=5.0),
        applied(9, 9, seconds=1, fingerprint="x"),
    ]
    found = estimate([listed(4_000), listed(None)], entries, fingerprint="ours", guess=EXPORT_GUESS)
    assert found.measured
    assert (found.records, found.records_per_second) == (50, 2.0)
    assert {found.as_json()[key] for key in ("records_per_second", "records_a_second")} == {2.0}
    assert found.seconds == pytest.approx(25.0)
