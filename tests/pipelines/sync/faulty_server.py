"""A real HTTP server on loopback that serves a folder like NLM's, and fails as it is told to."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer.

    `status` other than 0 is sent instead of the file; the body ends after `cut_after` bytes though more were promised;
    before each kilobyte the server sleeps `pause` seconds; `instead` is sent in place of the file's bytes.
    """

    status: int = 0
    cut_after: int = -1
    pause: float = 0.0
    instead: bytes | None = None
    no_ranges: bool = False


class FaultyServer:
    """Serves `folder` and its subfolders; `faults[name]` are used up one an answer. `asked` records (name, range)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.asked: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The address of the folder."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def downloads_of(self, name: str) -> list[str]:
        """The ranges with which a file was asked for, in order; empty for the whole file."""
        return [asked for file, asked in self.asked if file == name]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one GET."""
        path = self.folder / unquote(request.path).strip("/")
        wanted = request.headers.get("Range", "")
        self.asked.append((path.name, wanted))
        fault = self.faults[path.name].pop(0) if self.faults[path.name] else Fault()
        if fault.status or not path.exists():
            send_status(request, fault.status or 404)
        elif path.is_dir():
            send_body(request, fault.instead or index_page(path).encode(), Fault(), "")
        else:
            send_body(request, path.read_bytes() if fault.instead is None else fault.instead, fault, wanted)


def index_page(folder: Path) -> str:
    """An index page as Apache makes them, with sorting links, a parent, subfolders, dates and rounded sizes."""
    lines = ['<a href="?C=N;O=D">Name</a> <a href="/">Parent Directory</a>  -']
    for path in sorted(folder.iterdir()):
        name = path.name + "/" * path.is_dir()
        date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(path.stat().st_mtime))
        lines.append(f'<a href="{name}">{name}</a>  {date}  {path.stat().st_size / 1024:.1f}K')
    return "<html><body><pre>" + "\n".join(lines) + "</pre></body></html>"


def send_status(request: BaseHTTPRequestHandler, status: int) -> None:
    """A bare status; a busy server says when to come again."""
    request.send_response(status)
    request.send_header("Content-Length", "0")
    if status == 503:
        request.send_header("Retry-After", "0")
    request.end_headers()


def send_body(request: BaseHTTPRequestHandler, content: bytes, fault: Fault, wanted: str) -> None:
    """A body or the rest of it, as far as the fault lets it."""
    start = 0
    if wanted and not fault.no_ranges:
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            return send_status(request, 416)
    request.send_response(206 if start else 200)
    request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    rest = content[start:] if fault.cut_after < 0 else content[start : start + fault.cut_after]
    try:
        for place in range(0, len(rest), 1024):
            time.sleep(fault.pause)
            request.wfile.write(rest[place : place + 1024])
    except OSError:
        pass
    if len(rest) < len(content) - start:
        request.close_connection = True
    return None
