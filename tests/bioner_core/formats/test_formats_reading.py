"""Ranges, summaries, names and URLs: what a planner builds on."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dump_samples import ALL_FORMS, PUBMED, ReadBytes, outcomes

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.formats.reader import expand_inputs, public_name, read_records, summarise_input

CASES = {
    **ALL_FORMS,
    "broken": PUBMED[:-30],
    "unknown": b"what is this",
    "empty": b"",
    "cut": gzip.compress(PUBMED)[:-9],
}


@pytest.mark.parametrize("case", CASES)
def test_ranges_join_to_the_whole(case: str, read_bytes: ReadBytes) -> None:
    """Catches a record that two ranges share or that falls between them, the reject of a broken tail included."""
    whole = read_bytes(CASES[case])
    for cut in range(len(whole) + 2):
        assert read_bytes(CASES[case], last=cut) + read_bytes(CASES[case], first=cut) == whole
        assert read_bytes(CASES[case], first=cut, last=cut + 1) == whole[cut : cut + 1]


@pytest.mark.parametrize("case", CASES)
def test_summary_counts_what_is_read(case: str, tmp_path: Path) -> None:
    """Catches a plan whose counts or digest differ from what the shards then read."""
    path = tmp_path / "file"
    path.write_bytes(CASES[case])
    summary = summarise_input(str(path))
    assert summary.records == len(list(read_records(str(path))))
    assert (summary.digest, summary.bytes) == (hashlib.sha256(CASES[case]).hexdigest(), len(CASES[case]))
    assert summary.format_name == (
        case if case in ALL_FORMS else {"broken": "pubmed", "cut": "pubmed"}.get(case, "unknown")
    )


@pytest.mark.parametrize("packed", [False, True])
def test_the_suffix_plays_no_part(packed: bool, tmp_path: Path) -> None:
    """Catches a gzip file without `.gz`, or a plain one with it, that cannot be read."""
    for name in ("dump.xml", "dump.xml.gz", "dump.jsonl.bz2"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(PUBMED) if packed else PUBMED)
        assert outcomes(list(read_records(str(path)))) == ["Document"] * 4 + ["Deletion"]


def test_missing_file_and_unknown_format_name(tmp_path: Path) -> None:
    """Catches a missing input taken for an empty one, and a misspelt format that is passed over."""
    for missing in (tmp_path / "none.xml", tmp_path):
        with pytest.raises(InputError, match=missing.name):
            list(read_records(str(missing)))
        with pytest.raises(InputError, match=missing.name):
            summarise_input(str(missing))
    path = tmp_path / "a"
    path.write_bytes(PUBMED)
    with pytest.raises(ConfigurationError, match="'pubmet' is not known; use one of: pubmed,"):
        list(read_records(str(path), format_name="pubmet"))


def test_expanding_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches inputs out of order or doubled, files with glob characters in their names, companions read as dumps."""
    names = ["b.xml", "a.xml.gz", "a.xml.gz.md5", ".hidden", "sub/[x]1.xml", ".git/c.xml"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert expand_inputs(["."]) == ["./a.xml.gz", "./b.xml", "./sub/[x]1.xml"]
    assert expand_inputs(["*.xml", "b.xml", "**/*.xml", "https://h/b?x=1"]) == [
        "b.xml",
        "https://h/b?x=1",
        "sub/[x]1.xml",
    ]
    assert expand_inputs(["sub/[x]1.xml"]) == ["sub/[x]1.xml"]
    (tmp_path / "void").mkdir()
    for pattern in ("nothing*.xml", "void", "gone.xml"):
        with pytest.raises(InputError, match=pattern.replace("*", r"\*")):
            expand_inputs(["b.xml", pattern])


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("data/pubmed26n0001.xml.gz", "data/pubmed26n0001.xml.gz"),
        ("https://user:secret@host:8080/a/b.xml?token=secret#secret", "https://host:8080/a/b.xml"),
        ("s3://key:sec/ret@bucket/a.xml", "s3://bucket/a.xml"),
        ("s3://bucket/a@b.xml", "s3://bucket/a@b.xml"),
        ("sftp://user:secret@host/a", "sftp://host/a"),
        ("https://host/a;sig=secret/b.xml;sig=secret", "https://host/a/b.xml"),
        ("https://host/a/b.xml%3Fsig%3Dsecret", "https://host/a/b.xml"),
        ("https://host/token/secret/b.xml", "https://host/token/.../b.xml"),
        ("https://host/a/sig=secret/b.xml", "https://host/a/.../b.xml"),
        ("https://host/0a1B2c3D4e5F6a7B8c9D0e/b.xml.gz", "https://host/.../b.xml.gz"),
        ("https://host/eyJhbGciOi.eyJzdWIi.abc-DEF/b.xml", "https://host/.../b.xml"),
        (
            "https://host/pubmed-baseline-2026-january-files/b.xml",
            "https://host/pubmed-baseline-2026-january-files/b.xml",
        ),
        (
            "https://host/source=pubmed/b0a1c2d3e4f5a6b7c8d9e0f1.xml",
            "https://host/source=pubmed/b0a1c2d3e4f5a6b7c8d9e0f1.xml",
        ),
        ("http://user:secret@[::1/x", "http://..."),
        ("file\udce4.xml", "file\ufffd.xml"),
    ],
)
def test_public_names_hold_no_secret(name: str, public: str) -> None:
    """Catches credentials or signed queries of a URL in logs, rejects or the store."""
    assert public_name(name) == public


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        promised = len(PUBMED) + (100 if self.path.startswith("/cut") else 0)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(PUBMED)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    """A server on loopback: `/missing` is not there, `/cut` breaks off, anything else is a PubMed file."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_reading_a_url(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches URLs that are not read as files are, and secrets of theirs in what is stored."""
    monkeypatch.setenv("NO_PROXY", "*")
    records = list(read_records(f"http://{host}/pubmed.xml?token=secret"))
    assert outcomes(records) == ["Document"] * 4 + ["Deletion"]
    assert records[0].meta.input_file == f"http://{host}/pubmed.xml"


@pytest.mark.parametrize("path", ["missing", "cut"])
def test_a_failing_url_is_an_input_error_without_secrets(path: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a lost connection taken for the end of a file, and credentials in an error message."""
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(InputError) as caught:
        list(read_records(f"http://user:secret@{host}/{path}?key=secret"))
    assert "secret" not in str(caught.value)
    assert f"http://{host}/{path}" in str(caught.value)


@pytest.mark.parametrize("url", ["nosuch://host/file", "http://127.0.0.1:9/refused"])
def test_an_unusable_url_is_an_input_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an unknown kind of URL, or a refused connection, that escapes as a library's own exception."""
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(InputError, match=url):
        list(read_records(url))
