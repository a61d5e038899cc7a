"""`bioner serve`: who is let in, what the pages show, and that nothing of a dump becomes markup or SQL."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from job_commands import Command
from job_stores import word_store
from starlette.testclient import TestClient

from bioner_core.concepts.concept import Concept
from bioner_core.linking.linker import Linker
from bioner_core.site.app import make_app
from bioner_core.site.guard import Access, loopback_access
from bioner_core.site.pages import SiteSettings
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from jobs.main import run_command
from pipelines.watch.run_history import run_history
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.evaluation.test_html_report import Outline
from tests.bioner_core.export.awkward_store import commit, document, mentions_of
from tests.bioner_core.linking.linked_concepts import link_alone
from tests.bioner_core.viewer.hostile_text import HOSTILE, assert_shown_safely

PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def access() -> Access:
    """What opens the pages of the test."""
    return loopback_access(PORT)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has a snapshot and links, and a cache with their vocabulary; nobody changes them."""
    folder = tmp_path_factory.mktemp("linked")
    made = word_store(folder)
    (folder / "mine.csv").write_text("id,name,synonyms\nT:1,CD28 <antigen>,CD28\nT:2,binding,binds\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIONER_CACHE", str(folder / "cache"))
        for words in (
            ["compact", "--store", str(made), "--quiet"],
            ["vocabulary", "build", str(folder / "mine.csv"), "--name", "mine", "--licence", "CC0"],
            ["link", "--store", str(made), "--vocabulary", "mine"],
        ):
            assert run_command(words) == 0
    return folder


@pytest.fixture
def store(linked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store with a snapshot and links."""
    monkeypatch.setenv("BIONER_CACHE", str(linked / "cache"))
    return linked / "store"


@pytest.fixture
def stranger(store: Path, access: Access) -> TestClient:
    """A browser without the token."""
    app = make_app(SiteSettings(Store(store), memory_bytes=10**9, seconds=30), access, history=run_history)
    return TestClient(app, base_url=HERE, follow_redirects=False)


@pytest.fixture
def reader(stranger: TestClient, access: Access) -> TestClient:
    """A browser that has opened the address that was printed."""
    assert stranger.get("/", params={"token": access.token}).status_code == 303
    return stranger


def test_documents_are_found_by_each_field(reader: TestClient) -> None:
    """Would catch a field that is not searched, or one that finds everything."""
    for field, value, found, other in (
        ("text", "cd28", "jsonl:e0", "jsonl:e2"),
        ("id", "e2", "jsonl:e2", "jsonl:e0"),
        ("id", "jsonl:e2", "jsonl:e2", "jsonl:e0"),
        ("concept", "T:1", "jsonl:e0", "jsonl:e2"),
        ("year", "2025", "cnki:", "jsonl:e0"),
        ("journal", "示例", "cnki:", "jsonl:e0"),
        ("type", "word", "jsonl:e0", "jsonl:e2"),
    ):
        page = reader.get("/documents", params={field: value})
        assert page.status_code == 200, page.text
        assert found in page.text, field
        assert other not in page.text, field
    assert "Nothing was found" in reader.get("/documents", params={"text": "' OR 1=1 --"}).text
    assert reader.get("/documents", params={"page": "x"}).status_code == 400


def test_what_was_typed_is_shown_safely(reader: TestClient) -> None:
    """Catches a search form that gives back markup, or characters that no page can hold."""
    page = reader.get("/documents", params={"text": HOSTILE})
    assert page.status_code == 200
    assert_shown_safely(page.text)


def test_a_document_shows_its_mentions_and_concepts(reader: TestClient) -> None:
    """Would catch a page without a way to the concepts, or back."""
    page = reader.get("/document", params={"id": "jsonl:e0"})
    assert page.status_code == 200
    links = [attributes.get("href", "") for tag, attributes in Outline(page.text).seen if tag == "a"]
    assert "/concept?id=T%3A1" in links
    assert "/" in links
    assert "<mark" in page.text
    missing = reader.get("/document", params={"id": "<b>gone</b>"})
    assert missing.status_code == 404
    assert "<b>gone" not in missing.text


def test_a_concept_shows_names_sentences_and_neighbours(reader: TestClient) -> None:
    """Would catch a concept page of another concept, and a name of a vocabulary that becomes markup."""
    page = reader.get("/concept", params={"id": "T:1"}).text
    assert "CD28 &lt;antigen&gt;" in page
    assert "/concept?id=T%3A2" in page
    assert "<strong>CD28</strong>" in page
    assert reader.get("/concept", params={"id": "T:9"}).status_code == 404
    for words in ("cd28 <ANT", "cd28"):
        named = reader.get("/concept", params={"id": words}).text
        assert ("/concept?id=T%3A1" in named, "/concept?id=T%3A2" in named) == (True, False), words


def test_questions_are_answered_and_downloaded(reader: TestClient) -> None:
    """Would catch a download that holds only what the page shows, and a ready question that loses its parameters."""
    assert "top_entities" in reader.get("/questions").text
    shown = reader.get("/answer", params={"name": "top_entities", "type": "word", "limit": "3"})
    assert "cd28" in shown.text
    assert "limit=3" in shown.text
    sql = "SELECT i, '=cmd' AS word FROM range(600) AS t(i)"
    page = reader.get("/answer", params={"sql": sql})
    assert "the first 500" in page.text
    table = reader.get("/answer.csv", params={"sql": sql})
    assert len(table.text.splitlines()) == 601
    assert "'=cmd" in table.text
    parquet = reader.get("/answer.parquet", params={"sql": sql})
    assert pq.read_table(io.BytesIO(parquet.content)).num_rows == 600


@pytest.mark.parametrize(
    "sql",
    ["DROP VIEW mentions", "FROM '/etc/passwd'", "COPY (SELECT 1) TO '/tmp/x'", "SELECT 1; SELECT 2", "nonsense", ""],
)
def test_sql_can_only_ask(reader: TestClient, sql: str) -> None:
    """Would catch a box that writes, reads another file, or ends in a traceback."""
    for path in ("/answer", "/answer.csv", "/answer.parquet"):
        answer = reader.get(path, params={"sql": sql})
        assert answer.status_code == 400, path
        assert "Traceback" not in answer.text


def test_a_question_that_takes_too_long_is_given_up(store: Path, access: Access) -> None:
    """Would catch one question that keeps the machine busy for everybody."""
    app = make_app(SiteSettings(Store(store), memory_bytes=10**9, seconds=0.2), access, history=run_history)
    browser = TestClient(app, base_url=HERE)
    browser.get("/", params={"token": access.token})
    slow = browser.get("/answer", params={"sql": "SELECT sum(a.i * b.i) FROM range(400000) a(i), range(400000) b(i)"})
    assert slow.status_code == 400
    assert "took longer" in slow.text


def test_hostile_text_is_text_on_every_page(reader: TestClient) -> None:
    """Would catch a title, entity or search word of a dump that is written into a page as it is."""
    word = "<script>alert(1)</script>"
    for path, field in (("/documents", "text"), ("/document", "id"), ("/concept", "id"), ("/answer", "sql")):
        page = reader.get(path, params={field: word})
        assert "script" not in {tag for tag, _ in Outline(page.text).seen}, path
    assert reader.get("/runs").status_code == 200


@pytest.fixture
def served(store: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command at work, and the address that it printed."""
    words = [sys.executable, "-m", "jobs.main", "serve", "--store", str(store)]
    process = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stderr is not None
    line = next(one for one in process.stderr if "token=" in one)
    yield process, re.search(r"http://\S+", line)[0]  # type: ignore[index]
    process.kill()
    process.wait()


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(served: tuple[subprocess.Popen[str], str]) -> None:
    """Would catch an address that does not answer, one that answers without its token, and a Ctrl-C that hangs or
    speaks of a job."""
    process, address = served
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert "Store of annotations" in opener.open(address, timeout=60).read().decode()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.build_opener().open(address.partition("?")[0], timeout=60)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 128 + signal.SIGINT
    assert process.stderr is not None
    assert "committed" not in process.stderr.read()


def test_a_store_without_a_snapshot_says_what_makes_one(tmp_path: Path, bioner: Command) -> None:
    """Would catch pages that search all shards for a minute each."""
    done = bioner("serve", "--store", word_store(tmp_path))
    assert (done.code, "bioner compact" in done.err) == (1, True)


def test_a_damaged_snapshot_is_told_before_there_is_an_address(linked: Path, tmp_path: Path, bioner: Command) -> None:
    """Would catch a site that starts over files that are gone, and whose every page is an error."""
    store = tmp_path / "store"
    shutil.copytree(linked / "store", store)
    lost = next((store / "snapshots").rglob("mentions/**/*.parquet"))
    lost.unlink()
    done = bioner("serve", "--store", store)
    assert done.code == 1
    assert lost.name in done.err
    assert "token=" not in done.err


def test_ids_with_line_breaks_are_found_and_shown(tmp_path: Path, access: Access) -> None:
    """Catches a page that fails, or a document that is missing on it, since its id has a line break."""
    made = Store(tmp_path / "store")
    of_line = document("jsonl:a\nb", ("title", "CD28 here"))
    plain = document("jsonl:c", ("title", "CD28 there"), record_number=1)
    found = [("CD28", "genia", "protein", True)]
    commit(made.folder, [(one, mentions_of(one, found)) for one in (of_line, plain)], name="x.jsonl")
    compact_store(made)
    link_alone(made, Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28", "Gene"))]))
    app = make_app(SiteSettings(made, memory_bytes=10**9, seconds=30), access, history=run_history)
    reader = TestClient(app, base_url=HERE, follow_redirects=False)
    reader.get("/", params={"token": access.token})
    for path, asked in (("/documents", {"text": "CD28"}), ("/concept", {"id": "T:1"})):
        page = reader.get(path, params=asked)
        assert page.status_code == 200
        assert {"/document?id=jsonl%3Aa%0Ab", "/document?id=jsonl%3Ac"} <= {
            link.replace("jsonl:", "jsonl%3A") for link in re.findall(r'href="([^"]+)"', page.text)
        }


def test_a_download_of_what_parquet_lacks_says_so(reader: TestClient) -> None:
    """Catches an answer that is an error of the server, where the user can ask otherwise."""
    answer = reader.get("/answer.parquet", params={"sql": "SELECT INTERVAL 1 DAY AS i"})
    assert answer.status_code == 400
    assert "cast it to VARCHAR" in answer.text
