"""brat exports, read back by the `bioc` library and checked against brat's own rules."""

import re
from pathlib import Path

from bioc import brat

from bioner_core.export.brat import file_name
from tests.bioner_core.export.awkward_store import MENTIONS
from tests.bioner_core.export.conftest import Export

# brat's pages on standoff and on the configuration of annotation
TEXT_BOUND = re.compile(r"T[1-9]\d*\t[A-Za-z0-9_-]+ \d+ \d+\t[^\t\n\r]+")
OTHER = re.compile(r"(#[1-9]\d*\tAnnotatorNotes T[1-9]\d*\t[^\t\n\r]+)|(A[1-9]\d*\t[A-Za-z0-9_-]+ T[1-9]\d*)")


def pairs(folder: Path) -> list[tuple[str, str]]:
    """Text and annotations of each document; every text has its annotations, and nothing else lies about."""
    texts = sorted(folder.rglob("*.txt"))
    assert {one.with_suffix(".ann") for one in texts} == set(folder.rglob("*.ann"))
    return [(_read(one), _read(one.with_suffix(".ann"))) for one in texts]


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def test_every_line_obeys_the_rules_of_brat(export: Export) -> None:
    """Catches types with blanks, line ends in a span, ids that occur twice, notes on nothing."""
    folder, report = export("brat", all_candidates=True)
    spans = 0
    for text, annotations in pairs(folder):
        ids: set[str] = set()
        for line in annotations.split("\n")[:-1]:
            assert TEXT_BOUND.fullmatch(line) or OTHER.fullmatch(line), line
            name, kind, *rest = re.split(r"[\t ]", line)
            assert name not in ids
            ids.add(name)
            if name.startswith("T"):
                start, end, words = int(rest[0]), int(rest[1]), line.split("\t")[2]
                assert text[start:end] == words
                spans += 1
            else:
                assert rest[0] in ids, kind
    assert spans == report["mentions"] == len(MENTIONS)


def test_the_public_reader_agrees(export: Export) -> None:
    """Catches offsets that count line ends twice."""
    folder, _ = export("brat")
    found = 0
    for text, annotations in pairs(folder):
        document = brat.loads(text, annotations)
        for one in document.entities:
            [(start, end)] = [(span.begin, span.end) for span in one.locations]
            assert document.text[start:end] == one.text
            found += 1
    assert found == sum(one.accepted for one in MENTIONS.values())


def test_the_configuration_names_every_type_and_allows_nesting(export: Export) -> None:
    """Catches a collection that brat shows in red for types that it does not know."""
    folder, _ = export("brat", all_candidates=True)
    configuration = _read(folder / "annotation.conf")
    used = {match for _, lines in pairs(folder) for match in re.findall(r"^T\d+\t(\S+)", lines, re.MULTILINE)}
    entities = configuration.split("[entities]\n")[1].split("\n\n")[0].split("\n")
    assert set(entities) == used
    assert "cell_type_new" in used
    assert "<OVERLAP>" in configuration


def test_a_document_id_is_never_a_path() -> None:
    """Catches an id with slashes that leaves the folder, two ids with one file, and a name that is too long."""
    names = ["jsonl:a/../b", "jsonl:a_.._b", "..", "a:" + "x" * 5000, "cnki:肺炎", "jsonl:a:b", "jsonl:a_b"]
    found = [file_name(one) for one in names]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}", one) for one in found)
    assert file_name("pubmed:7") == "pubmed_7"
