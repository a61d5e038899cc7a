"""The check of passages against leaf elements that are found without the readers."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records
from devtools import check_truth
from devtools.check_truth import XML_KINDS, comparisons, main

ARTICLE = """<article><front><article-meta><article-id pub-id-type="pmc">91</article-id><title-group>
<article-title>Of <italic>hearts</italic></article-title></title-group><abstract><title>Abstract</title><p>In short.</p>
</abstract></article-meta></front><body><p>They beat<xref>1</xref> &#945;, <inline-formula><math><mi>k</mi></math>
<tex-math>k</tex-math></inline-formula>.</p><fig><label>Fig. 1</label><caption><title>A heart.</title></caption></fig>
</body></article>"""
CITATION = """<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>92</PMID><Article><ArticleTitle>Of <i>lungs</i>
</ArticleTitle><Abstract><AbstractText>They breathe.</AbstractText></Abstract></Article></MedlineCitation>
<PubmedData><ReferenceList><Reference><ArticleTitle>Another</ArticleTitle></Reference></ReferenceList></PubmedData>
</PubmedArticle></PubmedArticleSet>"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """An article and a citation."""
    for name, text in (("article.nxml", ARTICLE), ("citation.xml", CITATION)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return sorted(tmp_path.iterdir())


def test_passages_are_what_the_file_says(files: list[Path]) -> None:
    """Would catch a walk that takes labels, references and second forms for text, or that looks at no document."""
    found = [one for path in files for one in comparisons(path)]
    assert [(one.doc_id, one.what) for one in found] == [("pmc:PMC91", ""), ("pubmed:92", "")]


def test_a_reader_that_loses_or_doubles_text_is_found(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a check that passes whatever the readers do."""
    [document] = (one for one in read_records(str(files[1])) if isinstance(one, Document))
    title, abstract = document.passages
    for passages, what in (
        ((title,), "1 texts are in no passage, the first is 'Theybreathe.'"),
        ((title, abstract, abstract), "0 characters are lost, 12 are there too often"),
    ):
        monkeypatch.setattr(check_truth, "read_records", lambda _, p=passages: iter([replace(document, passages=p)]))
        assert [one.what for one in comparisons(files[1])] == [what]


def test_no_document_of_the_samples_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Would catch text of a sample that no passage has, where no dumps are."""
    monkeypatch.delenv("BIONER_SHARED", raising=False)
    assert main([]) == 0
    assert int(capsys.readouterr().out.split()[0]) > 10


def test_no_document_of_the_samples_and_dumps_differs(shared_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Would catch text of a real article that no passage has, and a folder that is gone, so that nothing is checked."""
    assert main(["--shared", str(shared_folder)]) == 0
    assert int(capsys.readouterr().out.split()[0]) > 300
    assert all(any((shared_folder / "dumps" / kind).iterdir()) for kind in XML_KINDS)
