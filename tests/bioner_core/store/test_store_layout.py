"""Names in a store: deterministic, and safe whatever a dump is called."""

import re
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.store.layout import Store, input_key, input_key_of, shard_id, table_file_name

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("0123456789abcdef", min_size=1))
def test_an_input_key_is_one_safe_path_component(name: str, digest: str) -> None:
    """Would catch a dump name that leaves its folder, hides a file or breaks a glob."""
    key = input_key(name, digest)
    assert _SAFE.fullmatch(key)
    assert len(key) <= 64


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/../b.xml",
        "*.xml",
        "[x].xml",
        "摘要.txt",
        "",
        ".hidden",
        "..",
        "_x",
        "s3://bucket/a b?x=1",
    ],
)
def test_hostile_names_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    """Would catch path traversal through the name of an input or of a source."""
    shard = shard_id(input_key(name, "d"), 0, last=10)
    folder = Store(tmp_path).table_folder("documents", source=name, shard=shard)
    assert folder.resolve().parent.parent.parent == tmp_path.resolve()
    assert folder.resolve().name == shard
    assert folder.parent.name[0] not in "._"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_input_is_read_back_from_the_id_of_a_shard(name: str, first: int, last: int) -> None:
    """Would catch a name with dashes that is cut at the first of them, so that its shards belong to another input."""
    key = input_key(name, "d")
    assert input_key_of(shard_id(key, first, last=last)) == key


def test_names_that_stores_have_already_stay_as_they_are() -> None:
    """Would catch another name for the same work: what older versions have committed would be annotated again."""
    assert Store(Path("s")).table_folder("mentions", source="pubmed", shard="k") == Path("s/mentions/pubmed/k")
    assert Store(Path("s")).table_folder("rejects", source="", shard="k") == Path("s/rejects/unknown/k")
    assert Store(Path("s")).table_folder("rejects", source="a/b", shard="k") == Path("s/rejects/a%2Fb/k")
    named = partial(table_file_name, "x-00000000-00000004", fingerprint="f1", format_name="pubmed")
    assert named() == "x-00000000-00000004-d5890a4b8d5a.parquet"
    assert named(taken=True) == "x-00000000-00000004-561f1f5025d6.parquet"


def test_the_folder_does_not_count_but_name_and_content_do() -> None:
    """Would catch a moved dump that is annotated twice, or two dumps that share one shard."""
    assert input_key("/a/x.xml", "d") == input_key("https://host/b/x.xml", "d")
    assert len({input_key(name, digest) for name in ("x.xml", "y.xml", "数.xml", "据.xml") for digest in "de"}) == 8


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("dumps/pubmed26n0001.xml.gz", "pubmed26n0001.xml.gz-b342bfb71ebf"),
        ("a/My dump (2).xml", "My-dump-2-.xml-65fee0113d25"),
        ("摘要.txt", "txt-6a5a4e20faf1"),
        ("摘要", "input-0b7fd3b96f05"),
    ],
)
def test_keys_stay_as_they_are(name: str, key: str) -> None:
    """Would catch a change of the names by which stores in use know what is done: all of it would be done again."""
    assert input_key(name, "d1") == key


def test_another_model_or_format_gets_another_file_name() -> None:
    """Would catch new results that overwrite old ones before their manifest is written."""
    names = {
        table_file_name("s", fingerprint=fingerprint, format_name=form)
        for fingerprint in ("f1", "f2")
        for form in ("pubmed", "jats")
    }
    assert len(names) == 4


def test_shard_ids_sort_as_their_records_do() -> None:
    """Would catch unpadded numbers, under which the check for overlapping shards sees them out of order."""
    ranges = [(0, 200), (200, 400), (1000, 1200), (20_000, 20_200)]
    assert (made := [shard_id("k", first, last=last) for first, last in ranges]) == sorted(made)
