"""The nightly PubMed job on folders: order, revisions, deletions, versions, new years, and what is not done twice."""

from pathlib import Path

import pytest
from night_samples import (
    WordAnnotator,
    citation,
    companion,
    newest_mentions,
    night,
    publish,
    release,
    titles_of,
)

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.ledger import applied_files, job_runs, reloads
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.nightly.report import SyncReport
from tests.stored_rows import document_rows

FIRST = release({1: "Old one", 2: "Two binds", 3: "Three"})
SECOND = release({1: "New one", 4: "Four"}, deleted=[3, 99])


def place_with(folder: Path, *files: bytes, year: int = 26) -> Path:
    """A folder of release files, numbered from 1."""
    for number, content in enumerate(files, start=1):
        publish(folder, f"pubmed{year}n{number:04d}.xml.gz", content)
    return folder


def test_revisions_replace_and_deletions_withdraw(tmp_path: Path) -> None:
    """Would catch an old text that survives, a withdrawn PMID that stays, an unknown one that stops the night."""
    report = night(tmp_path / "s", place_with(tmp_path / "in", FIRST, SECOND))
    assert (report.exit_code(), len(report.applied), report.pending) == (0, 2, 0)
    assert titles_of(tmp_path / "s") == {"pubmed:1": "New one", "pubmed:2": "Two binds", "pubmed:4": "Four"}
    assert {mention.text for mention in newest_mentions(tmp_path / "s") if mention.type == "word"} == {
        *("New", "one", "Two", "binds", "Four")
    }
    assert report.counts.deleted == 2
    assert verify_store(Store(tmp_path / "s")).sound


def test_a_second_run_the_same_night_does_nothing(tmp_path: Path) -> None:
    """Would catch a night that works, or calls the model, for files that the ledger has."""
    place = place_with(tmp_path / "in", FIRST, SECOND)
    night(tmp_path / "s", place)
    annotator = WordAnnotator(tmp_path / "s")
    report = night(tmp_path / "s", place, annotator=annotator)
    assert (report.exit_code(), report.applied, report.pending, annotator.rows_asked) == (0, (), 0, 0)
    assert [len(run.applied) for run in job_runs(Store(tmp_path / "s"))] == [2, 0]


def test_a_place_given_by_a_relative_path_is_found_again_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch tables that name their input by a path which is right in the working folder of one night only."""
    place_with(tmp_path / "in", FIRST)
    monkeypatch.chdir(tmp_path)
    night(Path("s"), "in")
    inputs = {manifest.input_file for manifest in read_manifests(Store(tmp_path / "s"))}
    assert inputs
    assert all(Path(one).is_absolute() and Path(one).is_file() for one in inputs)


def test_a_night_that_saw_nothing_promises_nothing(tmp_path: Path) -> None:
    """Would catch "0 are still to be applied" after a night that could not even list its place."""
    report = night(tmp_path / "s", tmp_path / "nowhere")
    assert report.failures
    assert "how many are left is not known" in report.lines()[0]


def test_a_later_file_brings_a_withdrawn_citation_back(tmp_path: Path) -> None:
    """Would catch a tombstone that is for ever, or an unchanged text that is forgotten with the deletion before it."""
    place = place_with(tmp_path / "in", FIRST, SECOND, release({3: "Three"}))
    report = night(tmp_path / "s", place)
    assert titles_of(tmp_path / "s")["pubmed:3"] == "Three"
    assert report.applied[2].counts.unchanged == 1
    assert any(mention.doc_id == "pubmed:3" for mention in newest_mentions(tmp_path / "s"))


def test_the_order_is_year_and_number_not_the_time_of_the_file(tmp_path: Path) -> None:
    """Would catch files that are applied by name alone, or by their date: 25 comes before 26, 9999 before 10000."""
    place = tmp_path / "in"
    publish(place, "medline25n9998.xml.gz", release({1: "Of 9998"}))
    night(tmp_path / "s", place, first_number=9998)
    for name in ("pubmed26n0001", "medline25n10000", "medline25n9999"):
        publish(place, f"{name}.xml.gz", release({1: f"Of {name}"}))
    report = night(tmp_path / "s", place, first_number=9998)
    assert [one.order for one in report.applied] == [(2025, 9999), (2025, 10000), (2026, 1)]
    assert titles_of(tmp_path / "s") == {"pubmed:1": "Of pubmed26n0001"}


def test_the_highest_version_is_shown_unless_it_is_withdrawn(tmp_path: Path) -> None:
    """Would catch versions of one PMID that are taken for revisions, or a deletion that takes all versions with it."""
    two = citation(7, "Version two", version=2)
    place = place_with(tmp_path / "in", release({7: "Version one"}, more=two), release({7: "Version one, revised"}))
    night(tmp_path / "s", place)
    assert titles_of(tmp_path / "s") == {"pubmed:7": "Version two"}
    gone = '<DeleteCitation><PMID Version="2">7</PMID></DeleteCitation>'
    publish(place, "pubmed26n0003.xml.gz", release({}, more=gone))
    night(tmp_path / "s", place)
    assert titles_of(tmp_path / "s") == {"pubmed:7": "Version one, revised"}


def test_ninety_per_cent_unchanged_make_calls_for_ten(tmp_path: Path) -> None:
    """Would catch model calls for citations whose text is as it was, and metadata that are not renewed with them."""
    titles = {pmid: f"Protein {pmid} binds" for pmid in range(1, 101)}
    place = place_with(tmp_path / "in", release(titles))
    night(tmp_path / "s", place)
    changed = titles | {pmid: f"Gene {pmid} sleeps" for pmid in range(1, 101, 10)}
    publish(place, "pubmed26n0002.xml.gz", release(changed, journal="Renamed"))
    annotator = WordAnnotator(tmp_path / "s")
    report = night(tmp_path / "s", place, annotator=annotator)
    assert (report.counts.unchanged, report.counts.annotated) == (90, 10)
    assert annotator.rows_asked == report.rows_sent == 10
    fresh = tmp_path / "fresh"
    night(fresh, place_with(tmp_path / "in2", release({}), release(changed, journal="Renamed")))
    assert newest_mentions(tmp_path / "s") == newest_mentions(fresh)
    assert {one.meta.journal for one in document_rows(Store(fresh))} == {"Renamed"}
    assert verify_store(Store(tmp_path / "s")).sound


def test_another_model_carries_nothing_over(tmp_path: Path) -> None:
    """Would catch results of a superseded model that pass for those of the new one."""
    place = place_with(tmp_path / "in", FIRST)
    night(tmp_path / "s", place)
    publish(place, "pubmed26n0002.xml.gz", FIRST)
    report = night(tmp_path / "s", place, annotator=WordAnnotator(tmp_path / "s", fingerprint="model-2"))
    assert (report.counts.unchanged, report.counts.annotated) == (0, 3)


def test_a_missing_number_stops_before_what_follows_it(tmp_path: Path) -> None:
    """Would catch a later file applied over a gap, and a night that forgets what came before it."""
    place = place_with(tmp_path / "in", FIRST, SECOND, release({5: "Five"}))
    (place / "pubmed26n0002.xml.gz").unlink()
    report = night(tmp_path / "s", place)
    assert (report.exit_code(), report.pending) == (1, 1)
    assert "number 2 of 2026 is missing" in report.failures[0]
    assert titles_of(tmp_path / "s") == {"pubmed:1": "Old one", "pubmed:2": "Two binds", "pubmed:3": "Three"}
    publish(place, "pubmed26n0002.xml.gz", SECOND)
    assert night(tmp_path / "s", place).exit_code() == 0
    assert "pubmed:5" in titles_of(tmp_path / "s")


def test_updates_without_their_baseline_are_refused_unless_said(tmp_path: Path) -> None:
    """Would catch a store that silently lacks the baseline."""
    publish(tmp_path / "in", "pubmed26n1167.xml.gz", FIRST)
    report = night(tmp_path / "s", tmp_path / "in")
    assert (report.exit_code(), titles_of(tmp_path / "s")) == (1, {})
    assert night(tmp_path / "s", tmp_path / "in", first_number=1167).exit_code() == 0


def numbers(report: SyncReport) -> list[tuple[int, ...]]:
    """The places of the files that a night applied, in order."""
    return [one.order for one in report.applied]


def test_a_store_that_begins_with_a_number_leaves_out_what_is_before_it(tmp_path: Path) -> None:
    """Would catch a first night of all of PubMed although --first-number names its last files, and one that says so."""
    place = place_with(tmp_path / "in", FIRST, SECOND, release({5: "Five"}))
    report = night(tmp_path / "s", place, first_number=3)
    assert (report.exit_code(), report.pending, numbers(report)) == (0, 0, [(2026, 3)])
    assert report.notes == ("--first-number: 2 files of 2026 left out, the last is number 2",)
    assert titles_of(tmp_path / "s") == {"pubmed:5": "Five"}
    publish(place, "pubmed26n0004.xml.gz", release({6: "Six"}))
    assert numbers(night(tmp_path / "s", place, first_number=3)) == [(2026, 4)]


def test_a_number_that_is_missing_behind_the_first_is_a_gap_all_the_same(tmp_path: Path) -> None:
    """Would catch a store that begins late and then applies what a missing file may have replaced."""
    place = place_with(tmp_path / "in", FIRST, SECOND, release({5: "Five"}), release({6: "Six"}))
    (place / "pubmed26n0003.xml.gz").unlink()
    report = night(tmp_path / "s", place, first_number=2)
    assert (report.exit_code(), numbers(report)) == (1, [(2026, 2)])
    assert "number 3 of 2026 is missing" in report.failures[0]


def test_files_behind_an_applied_one_are_not_left_out(tmp_path: Path) -> None:
    """Would catch a revision that is never applied because --first-number was raised over it."""
    place = place_with(tmp_path / "in", FIRST)
    night(tmp_path / "s", place)
    place_with(place, FIRST, SECOND, release({5: "Five"}))
    report = night(tmp_path / "s", place, first_number=3)
    assert (numbers(report), report.notes) == ([(2026, 2), (2026, 3)], ())
    assert titles_of(tmp_path / "s")["pubmed:1"] == "New one"


def test_a_new_year_begins_with_its_first_number_whatever_the_store_began_with(tmp_path: Path) -> None:
    """Would catch a baseline that is left out, or half applied, because the option stayed in the timer's line."""
    base, updates = tmp_path / "baseline", tmp_path / "updatefiles"
    place_with(base, FIRST, SECOND)
    publish(updates, "pubmed26n0003.xml.gz", release({5: "Five"}))
    night(tmp_path / "s", base, updates, first_number=3)
    place_with(base, release({1: "One of 27", 5: "Five"}), year=27)
    publish(updates, "pubmed27n0003.xml.gz", release({6: "Six"}))
    report = night(tmp_path / "s", base, updates, first_number=3)
    assert numbers(report) == [(2027, 1)]
    assert "number 2 of 2027 is missing" in report.failures[0]
    publish(updates, "pubmed27n0002.xml.gz", release({}))
    report = night(tmp_path / "s", base, updates, first_number=3)
    assert (report.exit_code(), report.reload is not None) == (0, True)
    assert set(titles_of(tmp_path / "s")) == {"pubmed:1", "pubmed:5", "pubmed:6"}


def test_a_file_published_anew_is_applied_in_its_old_place(tmp_path: Path) -> None:
    """Would catch a repaired file that is ignored, overrides the files after it, or leaves what it no longer holds."""
    place = place_with(tmp_path / "in", release({1: "Old one", 2: "Two", 8: "A mistake"}), SECOND)
    night(tmp_path / "s", place)
    publish(place, "pubmed26n0001.xml.gz", release({1: "Repaired one", 2: "Repaired two", 6: "Six"}))
    report = night(tmp_path / "s", place)
    assert [one.name for one in report.applied] == ["pubmed26n0001.xml.gz"]
    assert "published anew" in report.notes[0]
    expected = {"pubmed:1": "New one", "pubmed:2": "Repaired two", "pubmed:4": "Four", "pubmed:6": "Six"}
    assert titles_of(tmp_path / "s") == expected
    assert night(tmp_path / "s", place).applied == ()


def test_a_touched_file_with_the_same_content_is_left_alone(tmp_path: Path) -> None:
    """Would catch a mirror's new time stamps that make the whole baseline new."""
    place = place_with(tmp_path / "in", FIRST)
    night(tmp_path / "s", place)
    publish(place, "pubmed26n0001.xml.gz", FIRST)
    assert night(tmp_path / "s", place).applied == ()


def test_a_new_year_replaces_all_before_and_removes_what_is_gone(tmp_path: Path) -> None:
    """Would catch a citation that the new baseline lacks and that stays, or one dropped before it is whole."""
    old = {pmid: f"Title {pmid}" for pmid in range(1, 21)}
    base, updates = tmp_path / "baseline", tmp_path / "updatefiles"
    place_with(base, release(old))
    updates.mkdir()
    night(tmp_path / "s", base, updates)
    new = {pmid: title for pmid, title in old.items() if pmid != 5}
    place_with(base, release(dict(list(new.items())[:10])), release(dict(list(new.items())[10:])), year=27)
    report = night(tmp_path / "s", base, updates)
    assert report.reload is None
    assert "may still grow" in report.notes[0]
    assert len(titles_of(tmp_path / "s")) == 20
    publish(updates, "pubmed27n0003.xml.gz", release({21: "Title 21"}))
    report = night(tmp_path / "s", base, updates)
    assert report.reload is not None
    assert (report.reload.documents_before, report.reload.documents_after) == (21, 20)
    assert report.exit_code() == 0
    assert set(titles_of(tmp_path / "s")) == {f"pubmed:{pmid}" for pmid in [*new, 21]}
    assert [one.year for one in reloads(Store(tmp_path / "s"), "pubmed")] == [2027]
    assert report.counts.unchanged == 0
    assert verify_store(Store(tmp_path / "s")).sound


def test_a_new_baseline_calls_no_model_for_what_it_repeats(tmp_path: Path) -> None:
    """Would catch a yearly reload that annotates all of PubMed again."""
    titles = {pmid: f"Title {pmid}" for pmid in range(1, 21)}
    place_with(tmp_path / "in", release(titles))
    night(tmp_path / "s", tmp_path / "in")
    place_with(tmp_path / "in", release(titles), year=27)
    annotator = WordAnnotator(tmp_path / "s")
    report = night(tmp_path / "s", tmp_path / "in", annotator=annotator)
    assert (report.counts.unchanged, annotator.rows_asked) == (20, 0)
    assert report.reload is not None


def test_a_new_year_that_shrinks_is_not_believed(tmp_path: Path) -> None:
    """Would catch a half-uploaded baseline that empties the store."""
    place_with(tmp_path / "in", release({pmid: f"Title {pmid}" for pmid in range(1, 21)}))
    night(tmp_path / "s", tmp_path / "in")
    place_with(tmp_path / "in", release({1: "Title 1"}), year=27)
    report = night(tmp_path / "s", tmp_path / "in")
    assert (report.exit_code(), report.reload) == (1, None)
    assert "--allow-shrink" in report.failures[0]
    assert len(titles_of(tmp_path / "s")) == 20
    assert night(tmp_path / "s", tmp_path / "in", allow_shrink=True).reload is not None
    assert len(titles_of(tmp_path / "s")) == 1


def test_the_ledger_says_what_was_applied(tmp_path: Path) -> None:
    """Would catch an entry without digest, counts or run, or entries that do not sort as they were applied."""
    night(tmp_path / "s", place_with(tmp_path / "in", FIRST, SECOND))
    first, second = applied_files(Store(tmp_path / "s"), "pubmed")
    assert (first.name, first.order, second.order) == ("pubmed26n0001.xml.gz", (2026, 1), (2026, 2))
    assert first.md5 in companion(first.name, FIRST).decode()
    assert (first.bytes, len(first.sha256)) == (len(FIRST), 64)
    assert (first.counts.annotated, second.counts.deleted) == (3, 2)
    assert first.applied < second.applied
    [run] = job_runs(Store(tmp_path / "s"))
    assert first.run_id == second.run_id == run.run_id
    assert (run.exit_code, run.applied, run.counts.records_in) == (0, (first.name, second.name), 7)


def test_a_lost_shard_of_an_applied_file_is_found(tmp_path: Path) -> None:
    """Would catch a night that finds nothing to do while records that the ledger vouches for are gone."""
    place = place_with(tmp_path / "in", FIRST)
    night(tmp_path / "s", place)
    next((tmp_path / "s" / "manifests").iterdir()).unlink()
    [fault] = verify_store(Store(tmp_path / "s")).faults
    assert "pubmed26n0001.xml.gz: the ledger says 3 records, its shards hold 0" in fault
    for entry in (tmp_path / "s" / "ledger" / "pubmed").iterdir():
        entry.unlink()
    assert len(night(tmp_path / "s", place).applied) == 1
    assert verify_store(Store(tmp_path / "s")).sound


@pytest.mark.parametrize("needs_md5", [True, False])
def test_a_file_without_companion(tmp_path: Path, needs_md5: bool) -> None:
    """Would catch a file that is applied unchecked although nobody said so."""
    place = place_with(tmp_path / "in", FIRST)
    (place / "pubmed26n0001.xml.gz.md5").unlink()
    report = night(tmp_path / "s", place, needs_md5=needs_md5)
    assert report.exit_code() == (1 if needs_md5 else 0)
    assert bool(titles_of(tmp_path / "s")) is not needs_md5
