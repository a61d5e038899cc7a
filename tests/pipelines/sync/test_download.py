"""Listing and fetching: index pages, folders, other file systems, companions, and hostile names."""

import hashlib
import random
from pathlib import Path

import fsspec
import pytest
from faulty_server import Fault, FaultyServer

from bioner_core.errors import InputError
from pipelines.sync.download import local_copy, small_text, stated_md5
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import PassingFault, RetryPolicy, with_retries

HASTE = RetryPolicy(attempts=3, first_pause=0.01, longest_pause=0.02, idle_seconds=1.0)
CONTENT = random.Random(5).randbytes(5000)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def test_an_index_page_lists_its_own_files_only(tmp_path: Path) -> None:
    """Would catch sorting links, parents or subfolders that pass for files, or stamps that never change."""
    site = tmp_path / "site"
    (site / "deep").mkdir(parents=True)
    for name in ("a b.xml", "c&d.xml", ".hidden"):
        (site / name).write_bytes(CONTENT)
    with FaultyServer(site) as server:
        listed = list_place(server.url.rstrip("/"), HASTE)
        again = list_place(server.url, HASTE)
        (site / "a b.xml").write_bytes(b"longer" * 2000)
        changed = list_place(server.url, HASTE)
    assert [one.name for one in listed] == ["a b.xml", "c&d.xml"]
    assert listed == again
    assert listed[0].stamp != changed[0].stamp
    assert listed[1].stamp == changed[1].stamp
    assert all(one.remote for one in listed)


HOSTILE = (
    '<a href="http://evil.example/x.xml">x.xml</a><a href="../up.xml">u</a><a href="//evil.example/y.xml">y</a>'
    '<a href="%2e%2e%2fout.xml">o</a><a href="..">d</a><a href="a.xml?C=M">q</a><a href="http://[bad">b</a>'
    '<a href="good.xml">good.xml</a> 2026-01-01 <a href="a%00b.xml">n</a><a>none</a><p href="p.xml">'
)


def test_a_hostile_index_page_names_nothing_outside(tmp_path: Path) -> None:
    """Would catch a listing that makes the job fetch from elsewhere, or write outside its folder."""
    (tmp_path / "site").mkdir()
    with FaultyServer(tmp_path) as server:
        server.faults["site"] = [Fault(instead=HOSTILE.encode())]
        assert [one.name for one in list_place(server.url + "site/", HASTE)] == ["good.xml"]


def test_folders_are_listed_with_what_lies_below(tmp_path: Path) -> None:
    """Would catch a mirror whose baseline and updates lie in two folders below the one that is named, and the night's
    own store among them."""
    for folder in ("baseline", "updatefiles", ".git", "store/manifests", "store/plans"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{Path(folder).name}.xml").write_bytes(CONTENT)
    listed = list_place(str(tmp_path), HASTE)
    assert [(one.name, one.folder, one.bytes) for one in listed] == [
        ("baseline.xml", "baseline", 5000),
        ("updatefiles.xml", "updatefiles", 5000),
    ]
    assert not listed[0].remote


def test_other_file_systems_are_listed_and_read(tmp_path: Path) -> None:
    """Would catch buckets that are listed in one way and opened in another."""
    files = fsspec.filesystem("memory")
    files.pipe({"/bucket/in/one.xml": CONTENT, "/bucket/in/one.xml.md5": MD5.encode(), "/bucket/else.xml": b""})
    listed = list_place("memory://bucket/in", HASTE)
    assert [one.name for one in listed] == ["one.xml", "one.xml.md5"]
    assert small_text(listed[1], HASTE) == MD5
    (tmp_path / ".one.xml.part").write_bytes(CONTENT[:100])
    path = local_copy(listed[0], tmp_path, md5=MD5, policy=HASTE)
    assert path.read_bytes() == CONTENT
    with pytest.raises(InputError, match="not there"):
        list_place("memory://no-such-bucket", HASTE)


@pytest.mark.parametrize("place", ["no/such/folder", "nil://bucket", "http://127.0.0.1:9/"])
def test_a_place_that_is_not_there_is_named(place: str) -> None:
    """Would catch a typing error that passes for a place without new files."""
    with pytest.raises(InputError, match=r"folder|bucket|127\.0\.0\.1"):
        list_place(place, HASTE)


def test_credentials_stay_out_of_messages(tmp_path: Path) -> None:
    """Would catch a password in a log."""
    with FaultyServer(tmp_path) as server, pytest.raises(InputError) as caught:
        list_place(server.url.replace("//", "//me:secret@") + "absent/?token=secret", HASTE)
    assert "secret" not in str(caught.value)


def test_a_whole_download_is_not_fetched_again(tmp_path: Path) -> None:
    """Would catch a night after a kill that downloads what it has."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.gz").write_bytes(CONTENT)
    with FaultyServer(tmp_path / "site") as server:
        [listed] = list_place(server.url, HASTE)
        for _ in range(2):
            assert local_copy(listed, tmp_path / "d", md5=MD5, policy=HASTE).read_bytes() == CONTENT
        assert len(server.downloads_of("a.gz")) == 1
        (tmp_path / "d" / "a.gz").write_bytes(b"damaged")
        assert local_copy(listed, tmp_path / "d", md5=MD5, policy=HASTE).read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["a.gz"]


def test_a_partial_file_that_is_whole_is_taken(tmp_path: Path) -> None:
    """Would catch a kill between the last byte and the rename after which the server's 416 is an error."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.gz").write_bytes(CONTENT)
    (tmp_path / ".a.gz.part").write_bytes(CONTENT)
    with FaultyServer(tmp_path / "site") as server:
        [listed] = list_place(server.url, HASTE)
        assert local_copy(listed, tmp_path, md5=MD5, policy=HASTE).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_not_asked_again(tmp_path: Path, status: int) -> None:
    """Would catch minutes of waiting for a file that is not there."""
    (tmp_path / "a.gz").write_bytes(CONTENT)
    with FaultyServer(tmp_path) as server:
        [listed] = list_place(server.url, HASTE)
        server.faults["a.gz"] = [Fault(status=status)] * 5
        with pytest.raises(InputError, match=str(status)):
            local_copy(listed, tmp_path / "d", md5=MD5, policy=HASTE)
        assert len(server.downloads_of("a.gz")) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"MD5(a.gz)= {MD5}\n",
        f"MD5 (a.gz) = {MD5.upper()}",
        MD5,
        f"{MD5}\n",
        f"{MD5}  a.gz\n",
        f"{MD5} *a.gz",
        f"{MD5}  ./a.gz",
    ],
)
def test_companions_are_read_in_all_forms(text: str) -> None:
    """Would catch a form of the .md5 files that NLM or a mirror uses."""
    assert stated_md5(text, name="a.gz") == MD5


@pytest.mark.parametrize("text", ["", "<html>", MD5[:-1], f"MD5(b.gz)= {MD5}", f"{MD5}  b.gz", f"{MD5}\n{MD5}"])
def test_other_companions_are_refused(text: str) -> None:
    """Would catch an error page, or another file's digest, that is taken for the digest."""
    with pytest.raises(InputError, match=r"a\.gz"):
        stated_md5(text, name="a.gz")


def test_progress_starts_the_count_of_failures_anew() -> None:
    """Would catch a long download on a bad line that is given up although each attempt brings it further."""
    reached = [0]

    def step() -> str:
        reached[0] += 1
        if reached[0] < 9:
            raise PassingFault("again")
        return "done"

    assert with_retries(step, HASTE, progress=lambda: reached[0]) == "done"


def test_pauses_grow_to_a_limit_and_heed_the_server() -> None:
    """Would catch a client that hammers a busy server, or waits for an hour because it says so."""
    policy = RetryPolicy(first_pause=1, longest_pause=60)
    assert 0.75 <= policy.pause(1) <= 1.25
    assert 6 <= policy.pause(4) <= 10
    assert policy.pause(30) == 60
    assert policy.pause(1, asked=20) == 20
    assert policy.pause(1, asked=3600) == 60


def test_a_companion_that_is_not_small_is_refused(tmp_path: Path) -> None:
    """Would catch gigabytes read into memory because a companion names a whole file."""
    (tmp_path / "a.md5").write_bytes(CONTENT)
    listed = ListedFile("a.md5", str(tmp_path / "a.md5"), "", "", 5000)
    with pytest.raises(InputError, match="more than"):
        small_text(listed, HASTE)
