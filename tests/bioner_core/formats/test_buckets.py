"""Inputs in buckets, over a real S3 protocol on loopback: what a URL means, how it is read, and what an error says."""

import gzip
import json
from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.errors import ConfigurationError, InputError, MissingInputError
from bioner_core.formats.buckets import bucket_files, is_bucket
from bioner_core.formats.folder_inputs import expand_inputs
from bioner_core.formats.reader import read_records
from bioner_core.formats.stream import opened
from pipelines.sync.listing import list_place
from pipelines.sync.retry import RetryPolicy
from tests.conftest import S3Bucket

pytest.importorskip("obstore", reason="the extra `buckets` is not installed")


@pytest.fixture
def filled(s3_bucket: S3Bucket) -> S3Bucket:
    """A bucket with what people have in one."""
    for key in ("n/a.xml", "n/a.xml.md5", "n/.hidden.xml", "n/sub/b.xml.gz", "n/.trash/c.xml", "n/with space [1].xml"):
        s3_bucket.put(key, gzip.compress(key.encode()) if key.endswith(".gz") else key.encode())
    return s3_bucket


def _keys(pattern: str) -> list[str]:
    return [one.removeprefix("s3://dumps/") for one in expand_inputs([pattern])]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("n/a.xml", ["n/a.xml"]),
        ("n/with space [1].xml", ["n/with space [1].xml"]),
        ("n", ["n/a.xml", "n/sub/b.xml.gz", "n/with space [1].xml"]),
        ("n/", ["n/a.xml", "n/sub/b.xml.gz", "n/with space [1].xml"]),
        ("n/*.xml", ["n/.hidden.xml", "n/a.xml", "n/with space [1].xml"]),
        ("n/**/*.gz", ["n/sub/b.xml.gz"]),
    ],
)
def test_a_url_means_an_object_or_all_below_a_prefix_or_a_glob(
    filled: S3Bucket, pattern: str, meant: list[str]
) -> None:
    """Catches a glob of a bucket that is taken for a name, a companion or a hidden object that becomes an input, and a
    name with signs of a glob that is not found."""
    assert _keys(f"{filled.url}/{pattern}") == meant


@pytest.mark.parametrize("pattern", ["n/none.xml", "n/*.txt", "nothing/"])
def test_what_names_nothing_is_wrong_usage(filled: S3Bucket, pattern: str) -> None:
    """Catches a mistyped prefix that ends as a job with nothing to do."""
    with pytest.raises(MissingInputError, match="names no file"):
        expand_inputs([f"{filled.url}/{pattern}"])


def test_the_bytes_are_those_of_the_object(s3_bucket: S3Bucket) -> None:
    """Catches parts of a large object that are lost or come twice between two requests."""
    content = bytes(range(256)) * 60_000  # 15 MB: several requests
    s3_bucket.put("large", content)
    with opened(f"{s3_bucket.url}/large", digested=True) as raw:
        read = b"".join(iter(lambda: raw.read(1_000_003), b""))
    assert read == content


def test_what_is_wrong_is_said_without_secrets(filled: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a traceback, an endpoint or a key in a log, and an unknown bucket taken for an empty one."""
    with pytest.raises(InputError, match="bucket is not there") as unknown:
        bucket_files("s3://no-such-bucket/a.xml")
    with pytest.raises(ConfigurationError, match="environment") as keyed:
        bucket_files("s3://key:secret@dumps/n/a.xml")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="does not answer") as silent:
        bucket_files(f"{filled.url}/n/a.xml")
    for caught in (unknown, keyed, silent):
        assert not any(word in str(caught.value) for word in ("secret", "127.0.0.1", "Debug"))


def test_an_object_that_goes_while_it_is_opened_is_told(filled: S3Bucket) -> None:
    """Catches an error of the library where an object was removed after it was listed."""
    [name] = expand_inputs([f"{filled.url}/n/a.xml"])
    filled.client.delete_object(Bucket="dumps", Key="n/a.xml")
    with pytest.raises(InputError, match="is not there"), opened(name) as raw:
        raw.read(1)


def test_a_place_is_listed_as_a_folder_is(filled: S3Bucket) -> None:
    """Catches nightly jobs that see other files than `annotate`, or that miss that an object was replaced."""
    policy = RetryPolicy()
    before = {one.location: one for one in list_place(f"{filled.url}/n", policy)}
    assert f"{filled.url}/n/sub/b.xml.gz" in before
    filled.put("n/a.xml", b"another")
    after = {one.location: one for one in list_place(f"{filled.url}/n", policy)}
    name = f"{filled.url}/n/a.xml"
    assert (after[name].bytes, after[name].stamp != before[name].stamp) == (7, True)
    with pytest.raises(InputError, match="not there"):
        list_place(f"{filled.url}/none", policy)


def test_other_urls_are_no_buckets() -> None:
    """Catches an address of the web or a path that is handed to the services of buckets."""
    assert [is_bucket(one) for one in ("s3://b/x", "abfss://c@a.dfs/x", "https://b/x", "ftp://b/x", "a/b", "s3:x")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_records_of_a_bucket_are_those_of_a_local_file(s3_bucket: S3Bucket, tmp_path: Path) -> None:
    """Catches records that are lost, or compressed data that are not recognised, because the file is elsewhere."""
    lines = [json.dumps({"id": f"d{number}", "text": "CD28 binds."}) for number in range(3)]
    content = gzip.compress("\n".join(lines).encode())
    s3_bucket.put("json/one.jsonl.gz", content)
    (tmp_path / "one.jsonl.gz").write_bytes(content)
    [there], here = expand_inputs([f"{s3_bucket.url}/json/*.gz"]), str(tmp_path / "one.jsonl.gz")
    texts = [
        [one.passages[0].text for one in read_records(name) if isinstance(one, Document)] for name in (there, here)
    ]
    assert texts[0] == texts[1] == ["CD28 binds."] * 3
