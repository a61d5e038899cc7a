"""Release files, exports, places and an annotator for the tests of the nightly jobs."""

import gzip
import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path

from annotate_fakes import CHINESE, ENGLISH, WordService

from bioner_core.mentions import Mention
from bioner_core.store.history.current_rows import current_documents, current_mentions
from bioner_core.store.history.ledger import new_run_id
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation
from pipelines.feeders.file_end import FileEnd, file_summary
from pipelines.feeders.files_ahead import FilesAhead
from pipelines.feeders.ray_feeders import FeederPlaces
from pipelines.job import AnnotationJob
from pipelines.nightly.apply import PendingFile, SyncContext
from pipelines.nightly.pubmed import ReleaseSource, run_pubmed
from pipelines.nightly.report import SyncReport
from pipelines.summary import JobSummary
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import SilentProgress

HASTE = RetryPolicy(attempts=3, first_pause=0.01, longest_pause=0.05, idle_seconds=1.0)


class WordAnnotator:
    """An `InputAnnotator` that runs the real pipeline with an annotator that finds each word; counts model rows."""

    def __init__(self, store: Path, *, fingerprint: str = "model-1", shard_records: int = 4) -> None:
        self._settings = {"store": Store(store), "annotator_fingerprint": fingerprint, "shard_records": shard_records}
        self.rows_asked = 0

    @property
    def run_fingerprint(self) -> str:
        """That of its jobs."""
        return self._job().run_fingerprint

    def annotate(self, input_file: str) -> JobSummary:
        """Commit all shards of a file."""
        before = WordService.rows_asked
        summary = run_annotation(self._job(input_file), service_factory=WordService)
        self.rows_asked += WordService.rows_asked - before
        return summary

    def annotate_files(
        self, wanted: Iterable[PendingFile], locate: Callable[[PendingFile], str]
    ) -> Generator[tuple[FileEnd[PendingFile], JobSummary], None, None]:
        """Commit all shards of files, by one feeder in this process."""
        job, before = self._job(), WordService.rows_asked
        ahead = FilesAhead[PendingFile](
            job, start=lambda: FeederPlaces(job, WordService), progress=SilentProgress(), tell=print
        )
        with closing(ahead.run(wanted, locate)) as ends:
            for end in ends:
                yield end, file_summary(job, end)
        self.rows_asked += WordService.rows_asked - before

    def _job(self, *inputs: str) -> AnnotationJob:
        return AnnotationJob(
            inputs=inputs,
            label_sets=(ENGLISH, CHINESE),
            carry_over=True,
            **self._settings,  # type: ignore[arg-type]
        )


def citation(pmid: int, title: str, *, version: int = 1, journal: str = "J") -> str:
    """A `PubmedArticle` with a title and no abstract."""
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID><Article><Journal><Title>{journal}'
        f"</Title></Journal><ArticleTitle>{title}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )


def release(titles: Mapping[int, str], *, deleted: Iterable[int] = (), journal: str = "J", more: str = "") -> bytes:
    """The packed bytes of a release file: these citations, then these deletions."""
    articles = "".join(citation(pmid, title, journal=journal) for pmid, title in titles.items())
    gone = "".join(f'<PMID Version="1">{pmid}</PMID>' for pmid in deleted)
    gone = f"<DeleteCitation>{gone}</DeleteCitation>" if gone else ""
    body = f'<?xml version="1.0" encoding="utf-8"?><PubmedArticleSet>{articles}{more}{gone}</PubmedArticleSet>'
    return gzip.compress(body.encode(), mtime=0)


def companion(name: str, content: bytes) -> bytes:
    """The companion that NLM puts beside a release file."""
    return f"MD5({name})= {hashlib.md5(content, usedforsecurity=False).hexdigest()}\n".encode()


def publish(folder: Path, name: str, content: bytes) -> None:
    """Put a file and its companion into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / f"{name}.md5").write_bytes(companion(name, content))


def context(store: Path, lock: StoreLock) -> SyncContext:
    """A run on a store, in haste."""
    return SyncContext(
        store=Store(store),
        downloads=store.parent / f"{store.name}-downloads",
        lock=lock,
        run_id=new_run_id(),
        policy=HASTE,
    )


def night(store: Path, *places: Path | str, annotator: WordAnnotator | None = None, **settings: object) -> SyncReport:
    """One run of the nightly PubMed job."""
    store.mkdir(exist_ok=True)
    source = ReleaseSource(places=tuple(map(str, places)), **settings)  # type: ignore[arg-type]
    with StoreLock(Store(store), purpose="test") as lock:
        return run_pubmed(
            source,
            context(store, lock),
            annotator=annotator or WordAnnotator(store),
            progress=SilentProgress(),
            max_reject_rate=0.05,
        )


def titles_of(store: Path) -> dict[str, str]:
    """The title of each newest document."""
    return {document.doc_id: document.passages[0].text for document in current_documents(Store(store))}


def newest_mentions(store: Path) -> list[Mention]:
    """The mentions of all newest documents, in an order that does not depend on shards."""
    return sorted(current_mentions(Store(store)), key=lambda mention: mention.mention_id)
