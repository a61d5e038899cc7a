"""One listing of a store for many inputs."""

import os
from pathlib import Path

import pytest
from store_samples import commit_sample, descriptor

from bioner_core.store.atomic import TEMPORARY_SUFFIX
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.names import list_names
from bioner_core.store.reading import read_manifests


def test_each_input_has_its_own_shards_in_order(tmp_path: Path) -> None:
    """Would catch shards of an input whose name begins like another's, and an order by name instead of by record."""
    for first, last in ((4, 8), (0, 4), (8, 12)):
        commit_sample(tmp_path, of=descriptor(first, last))
    [key] = {input_key_of(one.shard_id) for one in read_manifests(Store(tmp_path))}
    (tmp_path / "manifests" / f"{key}x-00000000-00000001.json").write_text("{}")
    found = list_names(Store(tmp_path))
    assert [one.first for one in found.manifests(key)] == [0, 4, 8]
    assert found.manifests("other") == []


def test_unfinished_files_are_those_of_the_input(tmp_path: Path) -> None:
    """Would catch the temporary file of another input, at which another part of the backfill is at work, removed."""
    commit_sample(tmp_path)
    [manifest] = read_manifests(Store(tmp_path))
    key = input_key_of(manifest.shard_id)
    own = tmp_path / "plans" / f".{key}.json.0a{TEMPORARY_SUFFIX}"
    own.parent.mkdir(exist_ok=True)
    for path in (own, own.with_name(f".other.json.0a{TEMPORARY_SUFFIX}"), own.with_name(f".{key}.note")):
        path.touch()
    found = list_names(Store(tmp_path))
    assert found.left_behind(key) == [own]
    assert found.left_behind("nothing") == []


def test_a_store_that_is_not_there_has_no_names(tmp_path: Path) -> None:
    """Would catch a first run that fails because there is nothing to list."""
    found = list_names(Store(tmp_path / "none"))
    assert (found.manifests("key"), found.left_behind("key")) == ([], [])


def test_many_inputs_cost_one_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a listing of all manifests for every input, which makes planning quadratic."""
    commit_sample(tmp_path)
    found, listed = list_names(Store(tmp_path)), []
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path))
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path))
    for number in range(50):
        assert found.manifests(f"input-{number}") == []
        assert found.left_behind(f"input-{number}") == []
    assert listed == []
