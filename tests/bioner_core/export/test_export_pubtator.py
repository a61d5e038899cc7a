"""PubTator exports, read back by the `bioc` library and by our own reader."""

from bioc import pubtator

from bioner_core.formats.annotated import ForeignDocument
from bioner_core.formats.reader import read_records
from tests.bioner_core.export.awkward_store import DOCUMENTS, MENTIONS
from tests.bioner_core.export.conftest import Export

ACCEPTED = [one for one in MENTIONS.values() if one.accepted]


def test_the_public_reader_finds_every_mention_in_title_and_abstract(export: Export) -> None:
    """Catches a title whose end blanks shift the abstract, line ends inside a text, and `|t|` in an abstract."""
    path, _ = export("pubtator")
    with path.open(encoding="utf-8", newline="\n") as file:
        documents = pubtator.load(file)
    assert sorted(one.pmid for one in documents) == ["7", "cnki:肺_炎_1", "jsonl:a/../b", "jsonl:none"]
    found = 0
    for document in documents:
        whole = f"{document.title}\n{document.abstract}"
        for one in document.annotations:
            assert whole[one.start : one.end] == one.text
            found += 1
    assert found == len(ACCEPTED)


def test_only_what_the_format_cannot_hold_is_replaced(export: Export) -> None:
    """Catches characters that vanish or change without being counted."""
    path, report = export("pubtator")
    with path.open(encoding="utf-8", newline="\n") as file:
        found = {one.pmid: one for one in pubtator.load(file)}
    title, first, second = (one.text for one in DOCUMENTS["pubmed:7"].passages)
    expected = f"{first} {second}"
    changed = [(a, b) for a, b in zip(expected, found["7"].abstract, strict=True) if a != b]
    assert found["7"].title == title.rstrip()
    assert {b for _, b in changed} == {" ", "¦"}
    assert report["replaced_characters"] == len(changed)
    assert found["jsonl:a/../b"].title == ""
    assert found["jsonl:none"].abstract == ""


def test_our_own_reader_agrees(export: Export) -> None:
    """Catches annotations that do not fit the text under the rules of our reader."""
    path, _ = export("pubtator", name="out.txt.gz")
    found = [one for one in read_records(str(path)) if isinstance(one, ForeignDocument)]
    annotations = [one for document in found for one in document.annotations]
    assert len(annotations) == len(ACCEPTED)
    assert all(one.fits for one in annotations)
