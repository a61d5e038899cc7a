"""Two stores held against each other, row by row."""

from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import commit_sample, descriptor, document, mention, reject, writer

from bioner_core.mentions import Mention
from bioner_core.records import Reject, RejectReason
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.store.rows import RejectRow


def _commit(store: Path, mentions: list[Mention], *, text: str = "CD28 surface receptor") -> Path:
    filled = writer(store, of=descriptor(0, 1))
    filled.add_documents([document(0, text=text)])
    filled.add_mentions(mentions)
    counts = Counts(records_in=1, annotated=1, sentences=1, rows=1, mentions=len(mentions))
    accepted = sum(one.accepted for one in mentions)
    filled.commit(replace(counts, mentions_accepted=accepted), seconds=0.5)
    return store


def _rejected(store: Path, row: Reject) -> Path:
    filled = writer(store, of=descriptor(0, 1))
    filled.add_rejects([RejectRow(row, descriptor(0, 1).shard_id)])
    filled.commit(Counts(records_in=1, rejected=1), seconds=0.5)
    return store


def test_equal_stores_do_not_differ(tmp_path: Path) -> None:
    """Would catch a comparison that cries wolf over the time of a commit."""
    commit_sample(tmp_path / "one")
    commit_sample(tmp_path / "other")
    assert list(store_differences(Store(tmp_path / "one"), Store(tmp_path / "other"))) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([mention(0, 0, 4)], "row 1 is missing"),
        ([mention(0, 0, 4), mention(0, 5, 12), mention(0, 13, 21)], "row 2 is one too many"),
        ([mention(0, 0, 4), replace(mention(0, 5, 12), tag_score=1.25)], "row 1 differs in tag_score"),
        ([mention(0, 0, 4), mention(0, 5, 12, accepted=False)], "row 1 differs in accepted"),
    ],
)
def test_a_row_that_is_lost_doubled_or_changed_is_found(tmp_path: Path, found: list[Mention], words: str) -> None:
    """Would catch a comparison of counts or ids alone, which passes rows with other content."""
    _commit(tmp_path / "calm", [mention(0, 0, 4), mention(0, 5, 12)])
    _commit(tmp_path / "found", found)
    differences = list(store_differences(Store(tmp_path / "calm"), Store(tmp_path / "found")))
    assert any(words in one for one in differences), differences


def test_another_text_is_found(tmp_path: Path) -> None:
    """Would catch a comparison that looks at mentions only."""
    _commit(tmp_path / "calm", [])
    _commit(tmp_path / "found", [], text="CD29 surface receptor")
    (difference,) = store_differences(Store(tmp_path / "calm"), Store(tmp_path / "found"))
    assert "documents: row 0 differs in passages" in difference


def test_a_shard_on_one_side_only_is_found(tmp_path: Path) -> None:
    """Would catch a comparison of those shards alone that both stores have."""
    commit_sample(tmp_path / "more")
    (missing,) = store_differences(Store(tmp_path / "more"), Store(tmp_path / "nothing"))
    (superfluous,) = store_differences(Store(tmp_path / "nothing"), Store(tmp_path / "more"))
    assert missing.endswith("is missing")
    assert superfluous.endswith("should not be")


def test_another_fingerprint_is_found(tmp_path: Path) -> None:
    """Would catch equal rows of two models that pass for the same work."""
    commit_sample(tmp_path / "one")
    commit_sample(tmp_path / "other", fingerprint="f2")
    assert "fingerprint" in "".join(store_differences(Store(tmp_path / "one"), Store(tmp_path / "other")))


def test_of_a_reject_only_the_words_of_chance_may_differ(tmp_path: Path) -> None:
    """Would catch a reject for another reason, and the name of an actor that counts as a difference."""
    calm = _rejected(tmp_path / "calm", reject(0))
    elsewhere = replace(reject(0), message="other words", traceback="trace", attempts=7)
    assert list(store_differences(Store(calm), Store(_rejected(tmp_path / "same", elsewhere)))) == []
    reason = replace(reject(0), reason=RejectReason.MALFORMED)
    (difference,) = store_differences(Store(calm), Store(_rejected(tmp_path / "other", reason)))
    assert "differs in reason" in difference
