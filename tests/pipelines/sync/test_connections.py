"""Connections that fail, each with its cause in words; and redirects, which lead only where they may."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from faulty_server import FaultyServer

from bioner_core.errors import InputError
from bioner_core.formats import guarded_session, redirects
from bioner_core.formats.redirects import Network, network_of, redirect_target
from bioner_core.formats.stream import opened
from pipelines.sync.download import local_copy
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import RetryPolicy

HASTE = RetryPolicy(attempts=3, first_pause=0.01, longest_pause=0.02, idle_seconds=1.0)
PAGE = b'<a href="one.xml">one.xml</a> 2026-01-01 10'


class Answers(BaseHTTPRequestHandler):
    """Redirects `/to` to where the server was told, and answers everything else with the page."""

    def do_GET(self) -> None:
        target = self.server.target if self.path.startswith("/to") else ""
        self.server.asked.append(self.path)
        self.send_response(302 if target else 200)
        self.send_header("Location", target)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server on loopback; `target` is where it redirects to."""
    with Serving(None) as made:
        yield made


class Serving:
    """A server for the block, with TLS if there is a certificate."""

    def __init__(self, certificate: Path | None) -> None:
        self.server = HTTPServer(("127.0.0.1", 0), Answers)
        self.server.target, self.server.asked = "", []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> HTTPServer:
        self.thread.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def url_of(server: HTTPServer, path: str = "", *, scheme: str = "http") -> str:
    """An address of the server."""
    return f"{scheme}://127.0.0.1:{server.server_address[1]}/{path}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, and its key, in one file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    made = tmp_path / "own.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *words, "-keyout", tmp_path / "key", "-out", made], check=True, capture_output=True)
    made.write_bytes(made.read_bytes() + (tmp_path / "key").read_bytes())
    return made


def test_a_certificate_that_is_not_trusted_is_said_and_not_asked_again(certificate: Path) -> None:
    """Would catch "(SSLError)" after six attempts, and an authority of one's own that cannot be named."""
    with Serving(certificate) as server:
        with pytest.raises(InputError, match=r"certificate is not trusted .*--ca-file") as caught:
            list_place(url_of(server, scheme="https"), RetryPolicy(attempts=3, first_pause=60))
        assert "given up after" not in str(caught.value)
        trusting = RetryPolicy(ca_file=str(certificate))
        assert [one.name for one in list_place(url_of(server, scheme="https"), trusting)] == ["one.xml"]


def test_https_to_a_server_without_it_names_the_scheme(server: HTTPServer) -> None:
    """Would catch a wrong scheme that looks like a wrong certificate, and is asked for again and again."""
    with pytest.raises(InputError, match="right one of http:// and https://"):
        list_place(url_of(server, scheme="https"), RetryPolicy(attempts=3, first_pause=60))


def test_a_file_that_holds_no_certificate_is_named(server: HTTPServer, tmp_path: Path) -> None:
    """Would catch a traceback of the TLS library for a wrong --ca-file."""
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(InputError, match="127"):
        list_place(url_of(server, scheme="https"), RetryPolicy(ca_file=str(tmp_path / "no.pem"), attempts=1))


def test_a_refused_connection_is_called_so() -> None:
    """Would catch "(ConnectionError)", which a wrong port, a wrong name and a broken line all had."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=r"refused: nothing listens.*given up after 3 attempts"):
        list_place(f"http://127.0.0.1:{port}/", HASTE)


def test_an_unknown_host_is_called_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch minutes of attempts at a name that does not exist."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match="unknown host") as caught:
        list_place("http://no-such-host.example/", RetryPolicy(attempts=3, first_pause=60))
    assert "given up after" not in str(caught.value)


def test_silence_is_called_so(tmp_path: Path) -> None:
    """Would catch a server that answers nothing and is called a broken connection."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        hasty = RetryPolicy(attempts=2, first_pause=0.01, idle_seconds=0.1)
        with pytest.raises(InputError, match="no answer in time"):
            list_place(f"http://127.0.0.1:{deaf.getsockname()[1]}/", hasty)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:80/",
        "http://localhost/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.7/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/x",
        "gopher://8.8.8.8/",
        "http://[bad/",
    ],
)
def test_a_public_address_redirects_to_no_host_inside(target: str) -> None:
    """Would catch a release server, or whoever answers for it, that reads this machine's own services through us."""
    with pytest.raises(InputError, match="redirects"):
        redirect_target(target, asked="http://8.8.8.8/a", current="http://8.8.8.8/a")


@pytest.mark.parametrize(
    ("asked", "target", "reached"),
    [
        ("http://8.8.8.8/a/b", "c", "http://8.8.8.8/a/c"),
        ("http://8.8.8.8/a", "https://1.1.1.1/a", "https://1.1.1.1/a"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:9000/a", "http://127.0.0.1:9000/a"),
        ("http://10.0.0.1/a", "http://10.2.2.2/a", "http://10.2.2.2/a"),
        ("http://10.0.0.1/a", "http://8.8.8.8/a", "http://8.8.8.8/a"),
    ],
)
def test_redirects_in_the_networks_that_the_user_named_are_followed(asked: str, target: str, reached: str) -> None:
    """Would catch mirrors of a company, and plain mirrors, that cannot be used any more."""
    assert redirect_target(target, asked=asked, current=asked) == reached


def test_a_redirect_never_leaves_https() -> None:
    """Would catch release files that are fetched in the clear although an https address was given."""
    with pytest.raises(InputError, match="from https to http"):
        redirect_target("http://8.8.8.8/a", asked="https://8.8.8.8/a", current="https://8.8.8.8/a")


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/", "file:///etc/passwd", "/to/again"])
def test_listing_download_and_reading_follow_no_bad_redirect(server: HTTPServer, tmp_path: Path, target: str) -> None:
    """Would catch one of the three ways to a server that follows wherever it is sent, or for ever."""
    server.target = target
    url = url_of(server, "to/x.xml")
    with pytest.raises(InputError, match="redirects"):
        list_place(url, HASTE)
    with pytest.raises(InputError, match="redirects"):
        local_copy(ListedFile("x.xml", url, "", "", None), tmp_path, md5="", policy=HASTE)
    with pytest.raises(InputError, match="redirects"), opened(url):
        pass
    assert len(server.asked) <= 40


def test_what_is_judged_is_the_address_that_is_connected_to(
    server: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Would catch a name that is public when a redirect is judged, and this machine when it is followed."""
    known, judged = socket.getaddrinfo, network_of

    def turned(host: str, *arguments: object, **options: object) -> object:
        return known("127.0.0.1" if host == "turns.example" else host, *arguments, **options)

    reached = iter([Network.PUBLIC])  # where the address that the user gave is
    monkeypatch.setattr(socket, "getaddrinfo", turned)
    monkeypatch.setattr(redirects, "networks_of", lambda _: {Network.PUBLIC})
    monkeypatch.setattr(guarded_session, "network_of", lambda address: next(reached, None) or judged(address))
    server.target = f"http://turns.example:{server.server_address[1]}/pub/x.xml"
    with pytest.raises(InputError, match=r"redirects to turns.example, which is in this machine itself"):
        local_copy(ListedFile("x.xml", url_of(server, "to/x.xml"), "", "", None), tmp_path, md5="", policy=HASTE)
    assert not any("/pub/" in one for one in server.asked)


def test_a_redirect_within_the_network_that_was_reached_is_followed(server: HTTPServer, tmp_path: Path) -> None:
    """Would catch a mirror inside that can no longer be asked, since its own address is taken for a nearer one."""
    server.target = f"http://localhost:{server.server_address[1]}/pub/one.xml"
    path = local_copy(ListedFile("one.xml", url_of(server, "to/x"), "", "", None), tmp_path, md5="", policy=HASTE)
    assert path.is_file()


def test_an_index_page_does_not_move_to_another_server(server: HTTPServer) -> None:
    """Would catch one answer that moves all further downloads to a host that nobody named."""
    with Serving(None) as other:
        server.target = url_of(other, "pub/")
        with pytest.raises(InputError, match="has moved to"):
            list_place(url_of(server, "to"), HASTE)
    server.target = "/pub/"
    assert [one.location for one in list_place(url_of(server, "to"), HASTE)] == [url_of(server, "pub/one.xml")]


def test_an_index_of_folders_only_says_so(tmp_path: Path) -> None:
    """Would catch "holds no file" for a mirror's top page, and a drop place that is silently empty for ever."""
    for name in ("baseline", "update files"):
        (tmp_path / "site" / name).mkdir(parents=True)
    with FaultyServer(tmp_path / "site") as up, pytest.raises(InputError, match=r"baseline/, update files/.*--from"):
        list_place(up.url, HASTE)
