"""What readers keep between records."""

import gc
import tracemalloc

from dump_samples import ReadBytes, article, articles

from bioner_core.documents import Document
from bioner_core.formats.short_memory import LONGEST_KEPT, kept


def test_short_questions_are_asked_once() -> None:
    """Catches a memory that keeps nothing, or what is long."""
    asked: list[str] = []

    @kept(10)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    for text in ("a", "a", "b" * (LONGEST_KEPT + 1), "b" * (LONGEST_KEPT + 1)):
        assert length(text) == len(text)
    assert [len(text) for text in asked] == [1, LONGEST_KEPT + 1, LONGEST_KEPT + 1]


def test_long_headings_and_languages_are_not_kept(read_bytes: ReadBytes) -> None:
    """Catches 16,000 headings, each longer than a book, in the memory of a process that has read past them."""
    name = "x" * 200_000
    lists = (
        "<MeshHeadingList><MeshHeading><DescriptorName>{0}</DescriptorName></MeshHeading></MeshHeadingList>",
        '<MeshHeadingList><MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">{0}</DescriptorName></MeshHeading>'
        "</MeshHeadingList>",
        "<ChemicalList><Chemical><RegistryNumber>0</RegistryNumber>"
        '<NameOfSubstance UI="D1">{0}</NameOfSubstance></Chemical></ChemicalList>',
        '<OtherAbstract Language="{0}"><AbstractText/></OtherAbstract>',
    )
    content = articles(*(article(beside=one.format(f"{number}{name}")) for one in lists for number in range(20)))
    read_bytes(articles(article()))  # what is imported at the first file stays
    tracemalloc.start()
    try:
        found = [isinstance(one, Document) for one in read_bytes(content)]
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [True] * 80
    assert left < 2_000_000
