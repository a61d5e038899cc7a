"""Hostile content for the readers of Western literature: whatever comes, records, rejects or one clear error."""

import json
from typing import Any

import pytest
from dump_samples import PUBMED, ReadBytes
from hypothesis import given, settings
from hypothesis import strategies as st
from western_samples import IN_OAI, OAI, WESTERN_FORMS, jats_article, package

from bioner_core.documents import Document
from bioner_core.formats.annotated import ForeignDocument
from bioner_core.formats.registry import READERS
from bioner_core.records import Deletion, Reject
from tests.fuzz_length import for_long

SEEDS = {**WESTERN_FORMS, "pubmed": PUBMED, "jats_oai": OAI}
MARKS = [
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?a ?>", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&nope;", b"<!DOCTYPE a [",
    b"<!ENTITY a 'b'>", b"</PubmedArticle>", b"<AuthorList>", b"</AuthorList>", b"<sub-article>", b"<article>", b"\0",
    b"</article>", b"<record>", b"<table>", b"<alternatives/>", b"<sec>", b"</sec>", b"[", b"]", b"{", b"}", b'"',
    b'\\"', b"\\", b",", b":", b"\n\n", b"PMID- ", b"      ", b"|t|", b"|a|", b"\t", b"\xff", b"\xef\xbb\xbf", b"\r",
    b"-1", b"9" * 30, b"1e9", b"null", "\ud7ff哮".encode(), b"\xed\xa0\x80", b"ustar", b"\x1f\x8b",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=6) | st.sampled_from(MARKS)),
    min_size=1,
    max_size=6,
)

TAGS = {
    "pubmed": (
        "PubmedArticleSet",
        "PubmedArticle PubmedBookArticle BookDocument MedlineCitation PMID Article ArticleTitle Abstract AbstractText "
        "OtherAbstract VernacularTitle Language Journal JournalIssue PubDate Year KeywordList Keyword AuthorList "
        "ReferenceList History PubmedData ArticleIdList ArticleId DeleteCitation Book i sup",
    ),
    "jats": (
        "article",
        "article front article-meta article-id title-group article-title abstract sec title p body back fig table-wrap "
        "table tr td caption label alternatives tex-math math disp-formula list list-item sub-article response record "
        "floats-group fn header ref-list def-list trans-abstract journal-meta pub-date year kwd-group",
    ),
    "bioc_xml": (
        "collection",
        "document id infon passage offset text sentence annotation location relation node source",
    ),
}
ATTRIBUTES = (
    "",
    ' id="1"',
    ' Version="2"',
    ' pub-id-type="pmc"',
    ' offset="3" length="2"',
    ' Language="chi"',
    ' status="deleted"',
)
WORDS = st.sampled_from(
    ["", " ", "12", "7", "Aspirin", "哮喘", "\U0001d6fc", "<i>x</i>y", "&lt;", "<!-- c -->", "a\tb\n"]
)


def trees(tags: list[str]) -> st.SearchStrategy[str]:
    """Random well-formed elements of a format's own names, in any order and depth."""

    def wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        content = st.lists(inner | WORDS, max_size=4).map("".join)
        return st.builds(
            lambda tag, attribute, content: f"<{tag}{attribute}>{content}</{tag}>",
            st.sampled_from(tags),
            st.sampled_from(ATTRIBUTES),
            content,
        )

    return st.recursive(WORDS, wrapped, max_leaves=25)


def check(content: bytes, read_bytes: ReadBytes, *, form: str | None) -> list[Any]:
    """Records without gaps in their numbers, texts that can be stored, annotations that fit where they say so."""
    records = read_bytes(content, format_name=form)
    numbers = [r.meta.record_number if isinstance(r, Document) else r.record_number for r in records]
    assert numbers == list(range(len(records)))
    for record in records:
        assert isinstance(record, Document | Deletion | Reject)
        if isinstance(record, Document):
            assert record.passages
            assert all(passage.text.strip() and passage.section and passage.lang for passage in record.passages)
            "".join(passage.text for passage in record.passages).encode()
        if isinstance(record, ForeignDocument):
            assert len(record.passage_offsets) == len(record.passages)
            assert all(a.passage_index is None or a.passage_index < len(record.passages) for a in record.annotations)
    return records


def edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """A good file with pieces taken out and put in."""
    for place, removed, added in edits:
        at = int(place * len(content))
        content = content[:at] + added + content[at + removed :]
    return content


FORMS = st.sampled_from(sorted(SEEDS))


def name_of(form: str) -> str:
    """The reader of a seed."""
    return form.removesuffix("_oai")


@settings(max_examples=250)
@given(form=FORMS, edits=EDITS)
def test_edited_samples(form: str, edits: list[tuple[float, int, bytes]], read_bytes: ReadBytes) -> None:
    """Catches damage or hostile marks inside a good file that end in anything but records and rejects."""
    check(edited(SEEDS[form], edits), read_bytes, form=name_of(form))


@settings(max_examples=150)
@given(data=st.data(), form=st.sampled_from(sorted(TAGS)))
def test_random_trees(data: st.DataObject, form: str, read_bytes: ReadBytes) -> None:
    """Catches an element in a place where no sane file has it that ends in an exception."""
    root, tags = TAGS[form]
    body = "".join(data.draw(st.lists(trees(tags.split()), max_size=4)))
    check(f"<{root}>{body}</{root}>".encode(), read_bytes, form=form)


JSON_KEYS = [
    "documents", "PubTator3", "passages", "id", "_id", "infons", "offset", "text", "sentences", "annotations",
    "relations", "nodes", "locations", "length", "type", "refid", "role", "pmid",
]  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**15) | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(JSON_KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200)
@given(value=JSON_VALUES, wrapped=st.sampled_from(["{}", '{{"documents": [{}]}}', '[{{"passages": [{}], "id": 1}}]']))
def test_random_json(value: object, wrapped: str, read_bytes: ReadBytes) -> None:
    """Catches a field of a wrong kind, anywhere in a BioC document, that ends in an exception."""
    check(wrapped.format(json.dumps(value)).encode(), read_bytes, form="bioc_json")


@settings(max_examples=60)
@given(content=st.binary(max_size=300), form=st.sampled_from(sorted(reader.name for reader in READERS)))
def test_any_bytes_as_any_format(content: bytes, form: str, read_bytes: ReadBytes) -> None:
    """Catches a named format on bytes that it was not made for."""
    check(content, read_bytes, form=form)


@pytest.mark.slow
@settings(max_examples=for_long(6000))
@given(form=FORMS, edits=EDITS)
def test_edited_samples_for_long(form: str, edits: list[tuple[float, int, bytes]], read_bytes: ReadBytes) -> None:
    """Catches what the short run has no time to meet."""
    check(edited(SEEDS[form], edits), read_bytes, form=name_of(form))


@pytest.mark.slow
@settings(max_examples=for_long(3000))
@given(data=st.data(), form=st.sampled_from(sorted(TAGS)), enclosed=st.booleans())
def test_random_trees_for_long(data: st.DataObject, form: str, enclosed: bool, read_bytes: ReadBytes) -> None:
    """Catches what the short run has no time to meet, in packages and harvests too."""
    root, tags = TAGS[form]
    body = "".join(data.draw(st.lists(trees(tags.split()), max_size=4)))
    if form == "jats" and enclosed:
        whole = jats_article(body=body, after=body, attributes=IN_OAI).encode()
        check(package(("a.nxml", whole), ("b.xml", body.encode())), read_bytes, form="pmc_package")
    else:
        check(f"<{root}>{body}</{root}>".encode(), read_bytes, form=form)
