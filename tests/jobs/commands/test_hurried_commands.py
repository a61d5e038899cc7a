"""Commands with a slip of the hand: they say what was meant, and leave nothing behind."""

from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store


def test_an_input_that_is_not_there_makes_no_store(bioner: Command, tmp_path: Path) -> None:
    """Catches exit code 1 for a typing error, and an empty folder that passes for a store ever after."""
    done = bioner("annotate", tmp_path / "nofile.xml", "--annotator", "null", "--store", tmp_path / "store")
    assert done.code == 2
    assert "names no file" in done.err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["query", "SELECT 1", "--format", "csv", "--output"],
        ["show", "jsonl:e0", "--html"],
        ["report", "--html"],
    ],
)
def test_a_folder_that_is_not_there_is_not_made_for_a_file(bioner: Command, tmp_path: Path, words: list[str]) -> None:
    """Catches an answer that lies in a folder nobody knows of, because its name was mistyped."""
    done = bioner(*words, tmp_path / "nodir" / "x", "--store", word_store(tmp_path))
    assert done.code == 2
    assert "is not there" in done.err
    assert not (tmp_path / "nodir").exists()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["models", "show", "pubtater"], "pubtator"),
        (["models", "pull", "gema-3-270m"], "gemma-3-270m"),
        (["tag", "--model", "pubtater", "aspirin"], "smollm2"),
        (["vocabulary", "pull", "meshes"], "mesh"),
        (["vocabulary", "build", "--name", "x", "nofile.obo"], "nofile.obo"),
    ],
)
def test_a_name_of_nothing_is_wrong_usage_and_the_known_ones_are_told(
    bioner: Command, words: list[str], names: str
) -> None:
    """Catches exit code 1 for a typing error, which a schedule would try again all night."""
    done = bioner(*words)
    assert done.code == 2
    assert names in done.err
    assert done.err.startswith("error: ")
    assert not done.out


def test_a_document_without_its_source_is_recognised(bioner: Command, tmp_path: Path) -> None:
    """Catches a bare number that is only said not to be there."""
    done = bioner("show", "e0", "--store", word_store(tmp_path))
    assert done.code == 2
    assert "Did you mean jsonl:e0?" in done.err


def test_a_url_store_is_shown_as_typed(bioner: Command) -> None:
    """Catches a message about `ftp:/host`, which nobody typed."""
    assert "--store': ftp://host/store: is on no" in bioner("status", "--store", "ftp://host/store").err.replace(
        "\n", ""
    )


def test_mentions_say_which_passage_they_are_in(bioner: Command, tmp_path: Path) -> None:
    """Catches offsets of five passages in one column, which name no place."""
    said = bioner("mentions", "--store", word_store(tmp_path)).out
    assert "passage" in said


def test_status_says_who_is_at_work(bioner: Command, tmp_path: Path) -> None:
    """Catches a store that looks idle while a job holds it."""
    store = word_store(tmp_path)
    with StoreLock(Store(store), purpose="bioner nightly pubmed"):
        assert "bioner nightly pubmed" in bioner("status", "--store", store).out
