"""Reading gold corpora, good ones and broken ones."""

import functools
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import InputError
from bioner_core.evaluation.corpora import GoldRecord, read_corpus
from bioner_core.formats.json_text import MAX_JSON_DEPTH
from bioner_core.mentions import Span

ENTITY = {"start": 0, "end": 9, "type": "DNA"}
GOOD = {"id": "a", "lang": "en", "text": "IL-2 gene", "entities": [ENTITY]}
NESTED = functools.reduce(lambda inner, _: [inner], range(MAX_JSON_DEPTH), [])
"""A field that nobody reads, deeper than any form nests, and not too deep for Python's own parser."""


def line(**changes: Any) -> bytes:
    """The good record as a line, with some fields changed."""
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, b"\xef\xbb\xbf".__add__])
def test_plain_and_gzip_give_the_same(tmp_path: Path, pack: Any) -> None:
    """Catches a suffix that decides instead of the content, blank lines taken for records, a mark that breaks one."""
    path = tmp_path / "corpus.txt"
    path.write_bytes(pack(line() + b"\n\n" + line(id="b", entities=[]) + b"\n"))
    assert list(read_corpus(path)) == [
        GoldRecord("a", "en", "IL-2 gene", frozenset({Span(0, 9, "DNA")})),
        GoldRecord("b", "en", "IL-2 gene", frozenset()),
    ]


def test_doubles_count_once(tmp_path: Path) -> None:
    """Catches a support that counts one entity twice."""
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(line(entities=[ENTITY, ENTITY]))
    assert [len(record.spans) for record in read_corpus(path)] == [1]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"[" * 200_000, "nest deeper than"),
        (line(more=NESTED), "nest deeper than"),
        (b"[1]", "not a JSON object but list"),
        (line(text=None), "field 'text'"),
        (line(id=7), "field 'id'"),
        (line(lang=["en"]), "field 'lang'"),
        (line(entities={}), "field 'entities'"),
        (line(entities=[3]), "not a JSON object but int: 3"),
        (line(entities=[{"start": 0, "end": 10, "type": "DNA"}]), "entity 0:10"),
        (line(entities=[{"start": -1, "end": 2, "type": "DNA"}]), "entity -1:2"),
        (line(entities=[{"start": 4, "end": 4, "type": "DNA"}]), "entity 4:4"),
        (line(entities=[{"start": False, "end": 4, "type": "DNA"}]), "field 'start'"),
        (line(entities=[{"start": 0, "end": 4.0, "type": "DNA"}]), "field 'end'"),
        (line(entities=[{"start": 0, "end": 4}]), "field 'type'"),
        (line(entities=[{"start": 0, "end": 4, "type": "DNA", "text": "IL-3"}]), "entity 0:4 says 'IL-3'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: bytes, reason: str) -> None:
    """Catches a bad gold entity that lowers scores in silence, and an error that does not say where."""
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(line() + b"\n" + broken + b"\n")
    records = read_corpus(path)
    assert next(records).record_id == "a"
    with pytest.raises(InputError) as caught:
        next(records)
    assert str(path) in str(caught.value)
    assert "line 2" in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    """Catches a cut download that is scored as if it were the whole corpus."""
    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(line() * 50)[:-12])
    with pytest.raises(InputError, match=r"corpus\.jsonl\.gz"):
        list(read_corpus(path))


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """Catches a bare OSError for a wrong path or a folder."""
    with pytest.raises(InputError, match=r"absent\.jsonl: there is no such file|no \.txt file"):
        list(read_corpus(tmp_path / name))


def test_the_shared_corpora_are_read_in_full(shared_folder: Path) -> None:
    """Catches a check that turns away a real corpus, and lost lines: the counts are those of the corpora's own page."""
    folder = shared_folder / "data"
    counts = {name: len(list(read_corpus(folder / f"{name}.jsonl.gz"))) for name in ("genia/test", "cmeee/dev")}
    assert counts == {"genia/test": 1732, "cmeee/dev": 5000}
