"""Small dumps, written here, from which the tests of the readers are made."""

from collections.abc import Callable
from typing import Any

from western_samples import WESTERN_FORMS

from bioner_core.records import Reject

ReadBytes = Callable[..., list[Any]]

DOCTYPE = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
)
TITLE = "<ArticleTitle>A title.</ArticleTitle>"

NOTE_EXPRESS = "".join(
    f"{{Reference Type}}: Journal Article\n{{Title}}: 肺部感染{i}\n{{Abstract}}: 发热、\n咳嗽{i}。\n\n\n"
    for i in range(4)
)
REF_WORKS = "".join(f"RT Journal Article\r\nSR 1\r\nT1 糖尿病{i}\r\nDO 10.1000/{i}\r\n\r\n" for i in range(4))
END_NOTE = "".join(f"%0 Journal Article\n%T 高血压{i}\n%X 摘要{i}\n\n" for i in range(4))
E_STUDY = "".join(f"DataType: 1\nTitle-题名: 乳腺癌{i}\nSummary-摘要: <正>摘要{i}\n" for i in range(4))
JSON_LINES = "".join(f'{{"id": "{i}", "text": "Aspirin and asthma {i}."}}\n' for i in range(4))


def citation(content: str = TITLE, *, pmid: str = "7", beside: str = "") -> str:
    """A `MedlineCitation`; `beside` stands next to its `Article`."""
    return f'<MedlineCitation><PMID Version="1">{pmid}</PMID><Article>{content}</Article>{beside}</MedlineCitation>'


def article(content: str = TITLE, *, pmid: str = "7", beside: str = "", data: str = "") -> str:
    """A `PubmedArticle`; `data` stands in its `PubmedData`."""
    inner = citation(content, pmid=pmid, beside=beside)
    return f"<PubmedArticle>{inner}<PubmedData>{data}</PubmedData></PubmedArticle>"


def articles(*content: str, doctype: str = DOCTYPE) -> bytes:
    """A whole `PubmedArticleSet`."""
    body = "".join(content)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{doctype}\n<PubmedArticleSet>{body}</PubmedArticleSet>\n'.encode()


PUBMED = articles(*(article(pmid=str(i)) for i in range(1, 5)), "<DeleteCitation><PMID>9</PMID></DeleteCitation>")

ALL_FORMS = {
    "pubmed": PUBMED,
    **WESTERN_FORMS,
    "cnki_noteexpress": NOTE_EXPRESS.encode(),
    "cnki_refworks": REF_WORKS.encode(),
    "cnki_endnote": END_NOTE.encode(),
    "cnki_estudy": E_STUDY.encode(),
    "jsonl": JSON_LINES.encode(),
}


def outcomes(records: list[Any]) -> list[str]:
    """The reason of each reject, the class name of all else."""
    return [record.reason.value if isinstance(record, Reject) else type(record).__name__ for record in records]
