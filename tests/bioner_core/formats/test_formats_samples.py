"""The bundled samples are what the issue asks for, and stay short enough for a demo on a CPU."""

from importlib.resources import as_file, files
from typing import Any

import pytest
from dump_samples import outcomes

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records

MAX_CHARACTERS = {"en": 8000, "zh": 1500}


def read_sample(name: str) -> list[Any]:
    """The records of a bundled sample, found as an installed package would find it."""
    with as_file(files("bioner_core.samples") / name) as path:
        return list(read_records(str(path)))


def test_pubmed_sample() -> None:
    """Catches a sample that no longer shows a case that the demo is there to show."""
    records = read_sample("pubmed26n0001.xml")
    assert outcomes(records) == ["Document"] * 13 + ["Deletion"] * 2
    documents = records[:13]
    labels = {passage.label for document in documents for passage in document.passages}
    texts = " ".join(passage.text for document in documents for passage in document.passages)
    assert {"", "BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS"} <= labels
    assert "UNLABELLED" not in labels
    assert all(piece in texts for piece in ("NF-κB", "interferon-γ", "CD4+ T", "CO2", "the IFNG gene"))
    assert [len(document.passages) for document in documents].count(1) == 1
    assert {document.version for document in documents} == {1, 2}
    assert {document.lang for document in documents} == {"en", "de"}


def test_cnki_sample() -> None:
    """Catches a sample without a wrapped line, a `<正>`, a full-width colon, or a record of each kind of id."""
    records = read_sample("cnki_sample.txt")
    assert outcomes(records) == ["Document"] * 9
    texts = " ".join(passage.text for document in records for passage in document.passages)
    assert "肺部啰音消失时间短于对照组,不良反应" in texts
    assert "<正>" not in texts
    assert "肺部感染" in texts
    assert {document.doc_id.count(":") for document in records} == {1, 2}


@pytest.mark.parametrize(("name", "lang"), [("pubmed26n0001.xml", "en"), ("cnki_sample.txt", "zh")])
def test_samples_stay_short(name: str, lang: str) -> None:
    """Catches samples that grow until the demo takes minutes."""
    documents = [record for record in read_sample(name) if isinstance(record, Document)]
    assert sum(len(p.text) for document in documents for p in document.passages) < MAX_CHARACTERS[lang]
