"""Files that are several documents one after another: batches joined with `cat`, or fetched one by one."""

import pytest
from dump_samples import PUBMED, ReadBytes, article, articles, outcomes
from export_samples import EXPORT_FORMS
from western_samples import BIOC_XML, JATS, jats_article

DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize("between", ["", "\n", "\n\n<!-- next -->\n", f"\n{DECLARED}", f"\n\ufeff{DECLARED}"])
def test_batches_of_citations(between: str, read_bytes: ReadBytes) -> None:
    """Catches all records behind the first batch lost, with one reject in their place."""
    batches = [articles(*(article(pmid=str(n * 100 + i)) for i in range(1, 71))) for n in range(3)]
    batches = [one.partition(b"?>\n")[2] for one in batches]
    records = read_bytes(between.encode().join(batches))
    assert outcomes(records) == ["Document"] * 210
    assert [record.doc_id for record in records[::70]] == ["pubmed:1", "pubmed:101", "pubmed:201"]


@pytest.mark.parametrize(
    "content",
    [JATS, jats_article(), BIOC_XML, EXPORT_FORMS["endnote_xml"].decode(), EXPORT_FORMS["cnki_notefirst"].decode()],
)
def test_every_xml_form(content: str, read_bytes: ReadBytes) -> None:
    """Catches a form of XML whose second document is not read, with or without a declaration of its own."""
    once = outcomes(read_bytes(content.encode()))
    plain = content.partition("?>")[2] if content.startswith("<?xml") else content
    for second in (plain, DECLARED + plain):
        assert outcomes(read_bytes(f"{content}\n{second}".encode())) == once * 2


def test_a_batch_that_breaks_off_before_the_next(read_bytes: ReadBytes) -> None:
    """Catches a download that was cut taking the whole batches behind it with it."""
    cut = PUBMED[: PUBMED.rindex(b"<PubmedArticle>") + 40]
    records = read_bytes(cut + b"\n" + PUBMED)
    assert outcomes(records) == ["Document"] * 3 + ["truncated"] + ["Document"] * 4 + ["Deletion"]


def test_an_entity_in_a_later_document(read_bytes: ReadBytes) -> None:
    """Catches a bomb that hides in the prolog of the second document."""
    bomb = '<!DOCTYPE PubmedArticleSet [<!ENTITY a "aaaa">]>'
    content = PUBMED + articles(article("<ArticleTitle>&a;</ArticleTitle>"), doctype=bomb)
    assert outcomes(read_bytes(content)) == ["Document"] * 4 + ["Deletion", "forbidden_markup"]


def test_what_is_no_document_behind_the_root(read_bytes: ReadBytes) -> None:
    """Catches bytes behind the end of a file that go unnoticed."""
    assert outcomes(read_bytes(PUBMED + b"and so on")) == ["Document"] * 4 + ["Deletion", "malformed"]
