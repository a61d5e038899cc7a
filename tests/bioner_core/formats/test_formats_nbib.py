"""PubMed's text export: the citations of the XML in another dress."""

from pathlib import Path

import pytest
from dump_samples import ReadBytes, outcomes
from western_samples import NBIB

from bioner_core.formats.reader import read_records

FULL = """PMID- 12
OWN - NLM
LID - 10.1000/own [doi]
TI  - [Asthma in
      children].
AB  - One line
      and another.
CI  - Copyright.
LA  - eng
LA  - chi
TT  - 儿童哮喘
OAB - Ziel war.
OABL- ger
DP  - 2020 Spring
JT  - Journal of Inventions
OT  - asthma
OT  - child
AID - S1-2 [pii]
PMC - PMC77
"""


def test_fields_of_a_citation(read_bytes: ReadBytes) -> None:
    """Catches wrapped lines, languages, ids or keywords read otherwise than in the XML, and copyright as text."""
    for content in (FULL.encode(), FULL.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + FULL.encode()):
        (document,) = read_bytes(content)
        assert (document.doc_id, document.source, document.lang) == ("pubmed:12", "pubmed", "en")
        assert [(p.section, p.lang, p.text) for p in document.passages] == [
            ("title", "en", "[Asthma in children]."),
            ("abstract", "en", "One line and another."),
            ("vernacular_title", "zh", "儿童哮喘"),
            ("other_abstract", "de", "Ziel war."),
        ]
        meta = document.meta
        assert dict(meta.ids) == {"pmid": "12", "doi": "10.1000/own", "pmc": "PMC77"}
        assert (meta.journal, meta.year, meta.keywords) == ("Journal of Inventions", "2020", ("asthma", "child"))


def test_records_are_told_apart_with_and_without_blank_lines(read_bytes: ReadBytes) -> None:
    """Catches two citations run together."""
    tight = NBIB.replace("\n\n", "\n").lstrip()
    for content in (NBIB, tight):
        assert [record.doc_id for record in read_bytes(content.encode())] == [f"pubmed:{i}" for i in range(1, 5)]


def test_unusable_records(read_bytes: ReadBytes) -> None:
    """Catches records of other databases that pass for PubMed's, or that go without a trace."""
    content = "OWN - ERIC\nTI  - T\n\nPMID- 1\nTI  - [In Process Citation]\n\n      stray\n\nPMID- 2\nTI  - T\n"
    records = read_bytes(content.encode())
    assert outcomes(records) == ["missing_id", "no_text", "malformed", "Document"]
    assert "ERIC" in records[0].message


@pytest.mark.parametrize("line", ["      - dashed line", "      AB  - not a tag"])
def test_lines_that_only_look_like_fields(line: str, read_bytes: ReadBytes) -> None:
    """Catches a wrapped line that is taken for a field because of a dash in it."""
    (document,) = read_bytes(f"PMID- 1\nAB  - Text\n{line}\n".encode())
    assert document.passages[0].text == f"Text {line.strip()}"


def test_real_exports(shared_folder: Path) -> None:
    """Catches a real export whose titles or abstracts come out with their line breaks."""
    folder = shared_folder / "dumps" / "pubmed_nbib_text"
    (export,) = (list(read_records(str(file))) for file in folder.glob("mrhelper*.nbib"))
    assert len(export) == 10
    texts = [passage.text for record in export for passage in record.passages]  # type: ignore[union-attr]
    assert all("\n" not in text and "  " not in text for text in texts)
    assert {"vernacular_title"} <= {p.section for record in export for p in record.passages}  # type: ignore[union-attr]
