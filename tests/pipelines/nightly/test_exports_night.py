"""The nightly CNKI job on a drop folder: what is new by content, copies of one article, files that fail."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from night_samples import HASTE, WordAnnotator, context, newest_mentions, release, titles_of

from bioner_core.errors import InputError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.ledger import applied_files
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from pipelines.nightly.exports import files_without_entry, likely_exports, run_exports
from pipelines.nightly.report import SyncReport
from pipelines.summary import JobSummary
from pipelines.watch.progress import SilentProgress
from tests.stored_rows import document_rows


def reference(title: str, *, doi: str = "", link: str = "", year: str = "2025") -> str:
    """A RefWorks record of CNKI."""
    more = "".join(f"{tag} {value}\n" for tag, value in (("DO", doi), ("LK", link)) if value)
    return f"RT Journal Article\nSR 1\nA1 某人\nT1 {title}\nJF 示例\nYR {year}\n{more}\n"


def link(name: str) -> str:
    """A link that names its article."""
    return f"https://kns.cnki.net/KCMS/detail/detail.aspx?DbName=CJFQ2021&FileName={name}"


def night(
    store: Path, *places: Path | str, annotator: WordAnnotator | None = None, keep_downloads: bool = True
) -> SyncReport:
    """One run of the nightly CNKI job."""
    store.mkdir(exist_ok=True)
    with StoreLock(Store(store), purpose="test") as lock:
        return run_exports(
            [str(place) for place in places],
            replace(context(store, lock), keep_downloads=keep_downloads),
            annotator=annotator or WordAnnotator(store),
            progress=SilentProgress(),
            max_reject_rate=0.05,
        )


def drop(folder: Path, name: str, *records: str) -> Path:
    """Put an export into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(records), encoding="utf-8")
    return folder


def test_new_and_changed_files_are_applied_once(tmp_path: Path) -> None:
    """Would catch a file that is done every night, or one that is overlooked because its name is known."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    drop(tmp_path / "in" / "deep", "b.txt", reference("肺炎乙"))
    store = tmp_path / "s"
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in place.rglob("*.txt")}
    first = night(store, place)
    assert (first.exit_code(), len(first.applied), first.pending) == (0, 2, 0)
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in place.rglob("*.txt")}
    assert night(store, place).applied == ()
    drop(place, "a.txt", reference("肺炎甲"), reference("肺炎丙"))
    annotator = WordAnnotator(store)
    third = night(store, place, annotator=annotator)
    assert [one.name for one in third.applied] == ["a.txt"]
    assert (third.counts.unchanged, third.counts.annotated, annotator.rows_asked) == (1, 1, 1)
    assert set(titles_of(store).values()) == {"肺炎甲", "肺炎乙", "肺炎丙"}
    assert verify_store(Store(store)).sound


def test_a_copy_under_another_name_is_not_applied(tmp_path: Path) -> None:
    """Would catch the same export that counts twice because somebody renamed or touched it."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    night(tmp_path / "s", place)
    drop(place, "copy.txt", reference("肺炎甲"))
    drop(place, "a.txt", reference("肺炎甲"))
    assert night(tmp_path / "s", place).applied == ()
    assert len(applied_files(Store(tmp_path / "s"), "cnki")) == 1


def test_of_copies_in_several_exports_the_fullest_is_shown(tmp_path: Path) -> None:
    """Would catch one article that is shown under its link, its DOI and its title, or a fuller text replaced."""
    store = tmp_path / "s"
    both = reference("支原体肺炎", doi="10.1000/1", link=link("AB01"))
    night(store, drop(tmp_path / "1", "a.txt", both, reference("别的")))
    assert len(titles_of(store)) == 2
    night(store, drop(tmp_path / "2", "b.txt", reference("支原体肺炎 (修订)", doi="10.1000/1")))
    night(store, drop(tmp_path / "3", "c.txt", reference("支原体肺炎")))
    assert sorted(titles_of(store).values()) == ["别的", "支原体肺炎 (修订)"]
    assert len(list(document_rows(Store(store)))) == 4
    night(store, drop(tmp_path / "4", "d.txt", reference("支原体肺炎第三次修订", link=link("AB01"))))
    assert sorted(titles_of(store).values()) == ["别的", "支原体肺炎第三次修订"]
    assert {one.text for one in newest_mentions(store) if one.type == "word"} == {"别的", "支原体肺炎第三次修订"}


def test_headings_that_repeat_are_not_one_article(tmp_path: Path) -> None:
    """Would catch articles with names of their own that are thrown together because they are called alike."""
    first, second = (reference("本期导读", link=link(name)) for name in ("AB01", "AB02"))
    drop(tmp_path / "in", "b.txt", reference("本期导读"))
    night(tmp_path / "s", drop(tmp_path / "in", "a.txt", first, second))
    assert len(titles_of(tmp_path / "s")) == 3


class Refusing(WordAnnotator):
    """Cannot read one of the files."""

    def annotate(self, input_file: str) -> JobSummary:
        """Fail for a.txt."""
        if input_file.endswith("a.txt"):
            raise InputError("a.txt: cannot be read")
        return super().annotate(input_file)


class SlowCopy(WordAnnotator):
    """Works while the copy into the drop folder goes on."""

    def __init__(self, store: Path, then: Callable[[], object], *, early: bool) -> None:
        super().__init__(store)
        self._then = then
        self._early = early

    def annotate(self, input_file: str) -> JobSummary:
        """Annotate a file that changes right before it is planned, or after it was read."""
        if self._early:
            self._then()
        summary = super().annotate(input_file)
        if not self._early:
            self._then()
        return summary


@pytest.mark.parametrize("early", [False, True])
def test_a_file_that_changes_while_it_is_annotated_is_applied_next_night(tmp_path: Path, early: bool) -> None:
    """Would catch an entry with the digest of content that nobody has annotated: the file counts as applied for ever,
    and what came into it later is never read."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    both = [reference("肺炎甲"), reference("肺炎乙")]
    first = night(
        tmp_path / "s", place, annotator=SlowCopy(tmp_path / "s", lambda: drop(place, "a.txt", *both), early=early)
    )
    assert (first.exit_code(), first.applied) == (1, ())
    assert "changed while it was annotated" in first.failures[0]
    second = night(tmp_path / "s", place)
    assert (second.exit_code(), [one.name for one in second.applied]) == (0, ["a.txt"])
    assert sorted(titles_of(tmp_path / "s").values()) == ["肺炎乙", "肺炎甲"]
    assert verify_store(Store(tmp_path / "s")).sound
    assert night(tmp_path / "s", place).applied == ()


def test_a_file_that_fails_stops_no_other(tmp_path: Path) -> None:
    """Would catch one unreadable file in the folder that keeps all others out, or that is forgotten."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    drop(place, "b.txt", reference("肺炎乙"))
    report = night(tmp_path / "s", place, annotator=Refusing(tmp_path / "s"))
    assert (report.exit_code(), len(report.applied), report.pending) == (1, 1, 1)
    assert [one.name for one in night(tmp_path / "s", place).applied] == ["a.txt"]


def test_older_files_are_applied_first(tmp_path: Path) -> None:
    """Would catch an old export with a later name that hides a newer text."""
    place = drop(tmp_path / "in", "z.txt", reference("肺炎旧", link=link("AB01")))
    drop(place, "a.txt", reference("肺炎新", link=link("AB01")))
    os.utime(place / "z.txt", (1, 1))
    assert [one.name for one in files_without_entry([str(place)], [], policy=HASTE)] == ["z.txt", "a.txt"]
    night(tmp_path / "s", place)
    assert list(titles_of(tmp_path / "s").values()) == ["肺炎新"]


def test_a_bucket_prefix_is_a_drop_folder(tmp_path: Path) -> None:
    """Would catch objects of a bucket that are listed but cannot be applied, or are applied every night."""
    fsspec.filesystem("memory").pipe("/bucket/exports/a.txt", reference("肺炎甲").encode())
    assert len(night(tmp_path / "s", "memory://bucket/exports").applied) == 1
    assert night(tmp_path / "s", "memory://bucket/exports").applied == ()
    assert list(titles_of(tmp_path / "s").values()) == ["肺炎甲"]


def test_what_lies_beside_exports_is_left(tmp_path: Path) -> None:
    """Would catch a README or Windows' files whose reject fails the night, and a broken export that is only told."""
    place = drop(tmp_path / "in", "a.txt", *(reference(f"肺炎{number}") for number in range(30)))
    for name, text in (("README.txt", "what lies here"), ("Thumbs.db", ""), ("notes.cfg", "x = 1")):
        drop(place, name, text)
    report = night(tmp_path / "s", place)
    assert (report.exit_code(), [one.name for one in report.applied]) == (0, ["a.txt"])
    assert [word in report.notes[0] for word in ("README.txt", "Thumbs.db", "notes.cfg")] == [True] * 3
    drop(place, "broken.txt", "no export at all")
    assert [one.counts.rejected for one in night(tmp_path / "s", place).applied] == [1]


def test_files_of_pubmed_are_no_exports(tmp_path: Path) -> None:
    """Would catch PubMed's files in the CNKI ledger, where each revision would be an article of its own."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    drop(place, "b.txt", "PMID- 1\nTI  - A title of two lines\n\n")
    drop(place, "c.xml", "<PubmedArticleSet><PubmedArticle></PubmedArticle></PubmedArticleSet>")
    likely = likely_exports(files_without_entry([str(place)], [], policy=HASTE), [])
    assert [one.name for one in likely] == ["a.txt"]
    report = night(tmp_path / "s", place)
    assert (report.exit_code(), [one.name for one in report.applied]) == (0, ["a.txt"])
    assert "b.txt, c.xml" in report.notes[0]
    assert "nightly pubmed" in report.notes[0]


def test_downloads_are_discarded_where_that_is_asked_for(tmp_path: Path) -> None:
    """Catches a disk that fills with the downloads of every night although --discard-downloads was given: of files that
    were applied, of copies, and of what is left; and a drop folder of this machine that is emptied."""
    bucket = {
        "a.txt": reference("肺炎甲").encode(),
        "copy.txt": reference("肺炎甲").encode(),
        "notes.cfg": b"x = 1",
        "pubmed26n0001.xml.gz": release({1: "A title"}),
    }
    for name, content in bucket.items():
        fsspec.filesystem("memory").pipe(f"/discard/{name}", content)
    place = drop(tmp_path / "in", "b.txt", reference("肺炎乙"))
    report = night(tmp_path / "s", "memory://discard", place, keep_downloads=False)
    assert (report.exit_code(), len(report.applied), len(report.notes)) == (0, 2, 2)
    assert [path for path in (tmp_path / "s-downloads").rglob("*") if path.is_file()] == []
    assert (place / "b.txt").exists()


def test_links_of_a_drop_folder_are_followed(tmp_path: Path) -> None:
    """Would catch exports on another disk that no night ever sees, and a link to a lost file that nobody hears of."""
    place = drop(tmp_path / "in", "a.txt", reference("肺炎甲"))
    drop(tmp_path / "disk", "b.txt", reference("肺炎乙"))
    (place / "2024").symlink_to("../disk")
    (place / "c.txt").symlink_to("../nowhere.txt")
    report = night(tmp_path / "s", place)
    assert [one.name for one in report.applied] == ["a.txt", "b.txt"]
    assert report.exit_code() == 1
    assert "c.txt" in report.failures[0]


def test_the_download_of_a_file_that_failed_stays(tmp_path: Path) -> None:
    """Catches a file that cannot be looked at, since its download went with the run that it ended."""
    fsspec.filesystem("memory").pipe("/failed/a.txt", reference("肺炎甲").encode())
    report = night(tmp_path / "s", "memory://failed", annotator=Refusing(tmp_path / "s"), keep_downloads=False)
    assert report.exit_code() == 1
    assert (tmp_path / "s-downloads" / "a.txt").exists()
