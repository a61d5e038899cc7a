"""An address that holds a secret, in its path or behind it: nothing that is kept or said has it."""

from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from job_stores import WordService, null_job

from bioner_core.errors import InputError
from bioner_core.formats.reader import summarise_input
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation
from pipelines.sync.listing import list_place
from pipelines.sync.retry import RetryPolicy
from tests.stored_rows import document_rows

HIDDEN = "s3cR3t9a8b7C6d5E4f3G2h1"
RECORD = b'{"id": "1", "text": "CD28 binds"}\n'


class Dump(BaseHTTPRequestHandler):
    """Answers every address that is not of `/gone` with one record."""

    def do_GET(self) -> None:
        gone = "/gone" in self.path
        self.send_response(404 if gone else 200)
        self.send_header("Content-Length", str(0 if gone else len(RECORD)))
        self.end_headers()
        self.wfile.write(b"" if gone else RECORD)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def place() -> Iterator[str]:
    """A server on loopback."""
    server = HTTPServer(("127.0.0.1", 0), Dump)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ADDRESSES = [
    f"http://user:{HIDDEN}@PLACE/a.jsonl",
    f"http://PLACE/a.jsonl?sig={HIDDEN}",
    f"http://PLACE/token/{HIDDEN}/a.jsonl",
    f"http://PLACE/{HIDDEN}/a.jsonl",
    f"http://PLACE/x;sig={HIDDEN}/a.jsonl;sig={HIDDEN}",
    f"http://PLACE/sig={HIDDEN}/a.jsonl",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_file_of_a_store_holds_the_secret(
    tmp_path: Path, place: str, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Catches a token in manifests, plans, reports, names of shards, the documents themselves, or a log."""
    store = tmp_path / "store"
    job = replace(null_job(store, tmp_path, fingerprint="words"), inputs=(address.replace("PLACE", place),))
    assert run_annotation(job, service_factory=WordService).exit_code() == 0
    for path in store.rglob("*"):
        assert HIDDEN not in str(path)
        assert not path.is_file() or HIDDEN.encode() not in path.read_bytes()
    [document] = document_rows(Store(store))
    assert HIDDEN not in repr(document)
    assert document.meta.input_file.endswith("/a.jsonl")
    assert HIDDEN not in "".join(capfd.readouterr())


@pytest.mark.parametrize("address", [*ADDRESSES, f"http://user:{HIDDEN}@[::1/a.jsonl"])
def test_no_error_holds_the_secret(place: str, address: str) -> None:
    """Catches a token in the one line that everybody pastes into a report of an error."""
    gone = address.replace("PLACE", f"{place}/gone")
    told = []
    for ask in (lambda: summarise_input(gone), lambda: list_place(gone, RetryPolicy(attempts=1))):
        with pytest.raises(InputError) as error:
            ask()
        told.append(str(error.value))
    assert HIDDEN not in "".join(told)
