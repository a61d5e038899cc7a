"""Requests to object storage: asked again, once in effect, and silent about secrets."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, StoreError
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store
from bioner_core.store.objects import requests
from bioner_core.store.objects.connection import file_credentials
from bioner_core.store.objects.object_path import ObjectPath
from devtools.object_service import BUCKET, Asked, Fault, ObjectService

URL = f"s3://{BUCKET}"
_DROPPED = Fault()
_LOST_ANSWER = Fault(done=True)


def once(fault: Fault, wanted: Callable[[Asked], bool] = lambda _: True) -> Callable[[Asked], Fault | None]:
    """A fault in the first request that is wanted."""
    left = [fault]
    return lambda request: left.pop() if left and wanted(request) else None


def takers(count: int, take: Callable[[int], str]) -> list[int]:
    """Which of so many threads had a put that was answered with an e-tag, all beginning at once."""
    barrier, won = threading.Barrier(count), list[int]()

    def go(number: int) -> None:
        barrier.wait()
        if take(number):
            won.append(number)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return won


@pytest.mark.parametrize("there", [False, True])
def test_of_many_takers_one_wins(object_service: ObjectService, there: bool) -> None:
    """Catches a service, or a client, on which two jobs take one lease: all that follows stands on this."""
    for number in range(20):
        key = f"taken-{number}"
        e_tag = requests.put(URL, key, content=b"before") if there else ""
        won = takers(8, lambda who, key=key, e_tag=e_tag: requests.put_if(URL, key, content=b"%d" % who, e_tag=e_tag))
        assert len(won) == 1
        assert requests.get(URL, key).content == b"%d" % won[0]


@pytest.mark.parametrize("fault", [_DROPPED, _LOST_ANSWER, Fault(status="500 Internal Server Error")])
@pytest.mark.parametrize("e_tag_of", [b"", b"before"])
def test_a_conditional_put_is_told_right_when_an_answer_is_lost(
    object_service: ObjectService, fault: Fault, e_tag_of: bytes
) -> None:
    """Catches a lease that is believed lost by the one who has it, since its own put stands there already."""
    e_tag = requests.put(URL, "lease", content=e_tag_of) if e_tag_of else ""
    object_service.fault = once(fault, lambda request: request.method == "PUT")
    assert requests.put_if(URL, "lease", content=b"mine", e_tag=e_tag) == requests.head(URL, "lease").e_tag
    assert requests.get(URL, "lease").content == b"mine"


def test_a_false_conflict_is_not_believed(object_service: ObjectService) -> None:
    """Catches a lease given up for a 412 of a busy service: what stands there says whether somebody was faster."""
    e_tag = requests.put(URL, "lease", content=b"before")
    object_service.fault = once(Fault(status="412 Precondition Failed"))
    assert requests.put_if(URL, "lease", content=b"mine", e_tag=e_tag)
    assert not requests.put_if(URL, "lease", content=b"theirs", e_tag=e_tag)


@pytest.mark.usefixtures("no_pauses")
def test_no_error_tells_a_secret(object_service: ObjectService) -> None:
    """Catches a key or an address in a message, which goes to logs and to the pages of others."""
    object_service.fault = lambda _: Fault(status="403 Forbidden")
    with pytest.raises(StoreError, match="may not be used with the credentials") as caught:
        write_text(Store(ObjectPath.of(f"{URL}/x")).current, "1")
    object_service.fault = lambda _: Fault(status="503 Slow Down")
    with pytest.raises(StoreError, match="status 503") as other:
        write_text(Store(ObjectPath.of(f"{URL}/x")).current, "1")
    for words in (str(caught.value), str(other.value)):
        assert "nobody" not in words
        assert "127.0.0.1" not in words


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a traceback of an import where the extra was not installed."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ConfigurationError, match=r"obstore: in the checkout, pip install -e '\.\[buckets\]'"):
        ObjectPath.of("s3://never-asked/x").read_bytes()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://key:secret@bucket/x", "holds credentials"),
        ("ftp://host/x", "on no object storage"),
        ("s3:///x", "names no place"),
        ("s3://bucket/../x", "names no place"),
        ("s3://bucket/x?versionId=1", "names no place"),
    ],
)
def test_a_url_that_is_no_place_is_refused(url: str, words: str) -> None:
    """Catches a store in a wrong place, and a password in a list of processes that is accepted."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        ObjectPath.of(url)
    assert "secret" not in str(caught.value)


def test_credentials_come_from_the_usual_files(tmp_path: Path) -> None:
    """Catches keys in ~/.aws that are passed over, and a profile whose keys win over those of the environment."""
    (tmp_path / "credentials").write_text("[other]\naws_access_key_id = A\naws_secret_access_key = B\n")
    (tmp_path / "config").write_text("[profile other]\nregion = eu-west-1\n")
    files = {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "other",
    }
    assert file_credentials(files) == {"access_key_id": "A", "secret_access_key": "B", "region": "eu-west-1"}
    assert file_credentials(files | {"AWS_ACCESS_KEY_ID": "C"}) == {"region": "eu-west-1"}
