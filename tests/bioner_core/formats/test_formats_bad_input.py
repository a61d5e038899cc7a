"""Hostile and damaged files: one reject where something is wrong, every good record kept, never another exception."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from dump_samples import ALL_FORMS, DOCTYPE, NOTE_EXPRESS, PUBMED, ReadBytes, article, articles, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_core.documents import Document
from bioner_core.formats import jsonl, stream, tagged, xml_stream

BOMB = (
    '<!DOCTYPE PubmedArticleSet [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{i} "{f"&lol{i - 1};" * 10 if i else "&lol;"}">' for i in range(10))
    + "]>"
)
EXTERNAL = '<!DOCTYPE PubmedArticleSet [<!ENTITY stolen SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE PubmedArticleSet [<!ENTITY % remote SYSTEM "http://127.0.0.1:9/x.dtd"> %remote;]>'


def only_reject(records: list[Any], reason: str) -> str:
    """The message of the reject that is all there is."""
    assert outcomes(records) == [reason]
    assert (records[0].record_number, records[0].stage) == (0, "read")
    return str(records[0].message)


def test_truncated_gzip_keeps_every_whole_record(read_bytes: ReadBytes) -> None:
    """Catches a cut download that loses good records, ends in an exception, or passes for a whole file."""
    many = [article(f"<ArticleTitle>Title {i * 7919 % 1000003}</ArticleTitle>", pmid=str(i)) for i in range(1, 2000)]
    packed = gzip.compress(articles(*many))
    records = read_bytes(packed[: len(packed) // 2])
    assert len(records) > 100
    assert outcomes(records) == ["Document"] * (len(records) - 1) + ["truncated"]
    assert [record.doc_id for record in records[:-1]] == [f"pubmed:{i}" for i in range(1, len(records))]
    assert records[-1].record_number == len(records) - 1


@pytest.mark.parametrize("form", ALL_FORMS)
def test_gzip_cut_anywhere_never_yields_half_a_record(form: str, read_bytes: ReadBytes) -> None:
    """Catches a record that was cut off being given out as a whole one, in any format."""
    whole = read_bytes(ALL_FORMS[form])
    packed = gzip.compress(ALL_FORMS[form], mtime=0)
    for length in range(2, len(packed)):
        records = read_bytes(packed[:length], format_name=form)
        assert outcomes(records)[-1] == "truncated"
        assert records[:-1] == whole[: len(records) - 1]


def test_damaged_gzip_and_trailing_bytes(read_bytes: ReadBytes) -> None:
    """Catches a failed checksum or bytes after the archive that go unnoticed; zero padding is harmless.

    What was unpacked together with the damage is not trusted, so a small file with a wrong checksum has no records.
    """
    packed = gzip.compress(PUBMED)
    whole = outcomes(read_bytes(PUBMED))
    only_reject(read_bytes(packed[:-8] + b"\0" * 8), "malformed")
    long = gzip.compress(articles(*(article(pmid=str(i)) for i in range(1, 2001))))
    found = outcomes(read_bytes(long[:-8] + b"\0" * 8))
    assert (set(found[:-1]), found[-1]) == ({"Document"}, "malformed")
    assert outcomes(read_bytes(packed + b"trailing")) == [*whole, "malformed"]
    assert outcomes(read_bytes(packed + b"\0" * 512)) == whole
    assert outcomes(read_bytes(gzip.compress(PUBMED[:100]) + gzip.compress(PUBMED[100:]))) == whole


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("<PubmedArticle><MedlineCitation></PubmedArticle>", "malformed"),
        ("<PubmedArticle><MedlineCitation>", "truncated"),
        (article("<ArticleTitle>a\0b</ArticleTitle>"), "malformed"),
        (article("<ArticleTitle>a&#xD800;b</ArticleTitle>"), "malformed"),
        (article(f"<ArticleTitle>{'<i>' * 300}</ArticleTitle>"), "too_large"),
        (article(f"<ArticleTitle>{'x' * 11_000_000}</ArticleTitle>"), "too_large"),
    ],
)
def test_broken_xml_tail(tail: str, reason: str, read_bytes: ReadBytes) -> None:
    """Catches good records lost to a broken tail, or a tail that is passed over in silence."""
    content = articles(article(pmid="1"), article(pmid="2")).removesuffix(b"</PubmedArticleSet>\n") + tail.encode()
    records = read_bytes(content)
    assert outcomes(records) == ["Document", "Document", reason]
    assert records[-1].record_number == 2


def test_bytes_that_are_no_utf8_inside_xml(read_bytes: ReadBytes) -> None:
    """Catches text in another encoding than it claims being read as something else."""
    content = articles(article(pmid="1"), article("<ArticleTitle>\u00e4</ArticleTitle>")).replace(b"\xc3\xa4", b"\xe4")
    assert outcomes(read_bytes(content)) == ["Document", "bad_encoding"]


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "rot13", "no-such-encoding", "utf-7"])
def test_xml_in_an_encoding_that_is_not_read(encoding: str, read_bytes: ReadBytes) -> None:
    """Catches an encoding that the prolog's parser does not know escaping as Python's own exception."""
    content = f'<?xml version="1.0" encoding="{encoding}"?>{article()}'.encode()
    assert outcomes(read_bytes(content)) in (["bad_encoding"], ["malformed"])


@pytest.mark.parametrize("doctype", ["", DOCTYPE])
def test_an_undeclared_entity_costs_its_record_alone(doctype: str, read_bytes: ReadBytes) -> None:
    """Catches libxml2's silent stop at an entity that no standard set has, by which all records behind it are lost."""
    content = articles(
        article(pmid="1"), article("<ArticleTitle>&unheardof;</ArticleTitle>"), article(pmid="3"), doctype=doctype
    )
    records = read_bytes(content)
    assert outcomes(records) == ["Document", "malformed", "Document"]
    assert "unheardof" in records[1].message


@pytest.mark.parametrize("doctype", [BOMB, EXTERNAL, PARAMETER])
def test_entity_declarations_are_forbidden(doctype: str, read_bytes: ReadBytes) -> None:
    """Catches expansion of entities, reading of local files and fetching of DTDs: parsing stops at a declaration."""
    content = articles(article("<ArticleTitle>&lol9;&stolen;</ArticleTitle>"), doctype=doctype)
    assert "entit" in only_reject(read_bytes(content), "forbidden_markup")


def test_entity_in_an_attribute_of_the_root(read_bytes: ReadBytes) -> None:
    """Catches a bomb that goes off before the first element event: attributes are expanded by the parser itself."""
    content = f'{BOMB}<PubmedArticleSet note="&lol9;">{article()}</PubmedArticleSet>'.encode()
    only_reject(read_bytes(content), "forbidden_markup")


def test_external_subset_is_never_loaded(tmp_path: Path, read_bytes: ReadBytes) -> None:
    """Catches a parser option that makes libxml2 load the DTD that a document type names, from disk or network."""
    subset = tmp_path / "pubmed.dtd"
    subset.write_text('<!ENTITY secret "local file"><!ATTLIST AbstractText Label CDATA "LEAK">')
    doctype = f'<!DOCTYPE PubmedArticleSet SYSTEM "{subset.as_uri()}">'
    content = "<ArticleTitle>&secret;</ArticleTitle>"
    abstract = "<Abstract><AbstractText>a</AbstractText></Abstract>"
    records = read_bytes(articles(article(content), article(abstract), doctype=doctype))
    assert outcomes(records) == ["malformed", "Document"]
    assert records[1].passages[0].label == ""


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"<html><body/></html>",
        b"PK\x03\x04",
        b"\0" * 5000,
        b"[1, 2]",
        b"{\n",
        b"\xff\xfe",
    ],
)
def test_unknown_format_is_one_reject(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches a file of another kind that is read as nothing, or as one of ours."""
    only_reject(read_bytes(content), "unknown_format")


@pytest.mark.parametrize("content", [b"", b" \r\n\t\n", gzip.compress(b"", mtime=0)])
def test_empty_file_is_one_reject(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches an empty file that leaves no trace; a named format makes no difference."""
    only_reject(read_bytes(content), "empty_file")
    only_reject(read_bytes(content, format_name="pubmed"), "empty_file")


def test_named_format_that_does_not_fit(read_bytes: ReadBytes) -> None:
    """Catches `--format` on the wrong file ending in an exception or in silence."""
    assert outcomes(read_bytes(b"<html/>", format_name="pubmed")) == ["unknown_format"]
    assert outcomes(read_bytes(b"plain words", format_name="cnki_endnote")) == ["malformed"]
    assert outcomes(read_bytes(b"plain words", format_name="jsonl")) == ["malformed"]
    assert outcomes(read_bytes(b'<PubmedArticleSet xmlns="x"/>', format_name="pubmed")) == ["unknown_format"]


@pytest.mark.parametrize("content", [NOTE_EXPRESS.encode() + b"\xff\xff", NOTE_EXPRESS.encode("utf-16")[:-1]])
def test_wrong_encoding_is_one_reject_for_the_file(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches mojibake: where no encoding fits the whole file, none of it is guessed at."""
    only_reject(read_bytes(content), "bad_encoding")


def test_a_megabyte_abstract_is_read(read_bytes: ReadBytes) -> None:
    """Catches a cap, or a truncation, that hits real long records."""
    text = "interleukin-2 [gene] " * 52_000
    xml = articles(article(f"<Abstract><AbstractText>{text}</AbstractText></Abstract>"))
    for content in (xml, json.dumps({"id": 1, "text": text.strip()}).encode()):
        records = read_bytes(content)
        assert outcomes(records) == ["Document"]
        assert records[0].passages[0].text == text.strip()


def test_nul_surrogates_and_brackets_in_json_lines(read_bytes: ReadBytes) -> None:
    """Catches characters changed on the way, and text that cannot be stored reaching the store."""
    lines = [
        b'{"id": 1, "text": "a\\u0000b\0c"}',
        b'{"id": 2, "text": "bad \\ud800 half"}',
        b'{"id": 3, "text": "ok", "meta": {"journal": "\\udfff"}}',
        b'{"id": "\\ud801", "text": ""}',
        b'{"id": 4, "text": "\\ud83d\\ude00 [[a] \\\\ ]] {}"}',
    ]
    records = read_bytes(b"\n".join(lines))
    assert outcomes(records) == ["Document", "bad_characters", "bad_characters", "no_text", "Document"]
    assert records[0].passages[0].text == "a\0b\0c"
    assert records[4].passages[0].text == "\U0001f600 [[a] \\ ]] {}"
    for record in records[1:4]:
        (record.doc_id + record.message).encode()


def test_nul_and_brackets_in_tagged_text(read_bytes: ReadBytes) -> None:
    """Catches control characters that end a line or a file early."""
    (record,) = read_bytes("%0 Journal Article\n%T a\0b\x0b[[c]\x1c]\u2028d\n".encode())
    assert record.passages[0].text == "a\0b\x0b[[c]\x1c]\u2028d"


def test_record_caps(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches unbounded memory: a record past its cap is a reject; where a format allows it the next one is read."""
    for module in (jsonl, tagged, xml_stream):
        monkeypatch.setattr(module, "MAX_RECORD_BYTES", 100_000)
    long = "x " * 200_000
    tagged_text = f"%0 A\n%T one\n%0 A\n%X {long}\n{long}\n%T two\n%0 A\n%T three\n"
    assert outcomes(read_bytes(tagged_text.encode())) == ["Document", "too_large", "Document"]
    lines = f'{{"id": 1, "text": "one"}}\n{{"id": 2, "text": "{long}"}}\n{{"id": 3, "text": "three"}}'
    assert outcomes(read_bytes(lines.encode())) == ["Document", "too_large", "Document"]
    many_elements = article("<i/>" * 300_000)
    assert outcomes(read_bytes(articles(article(pmid="1"), many_elements, article()))) == ["Document", "too_large"]


def test_decompression_cap(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches a gzip bomb that is unpacked without end."""
    monkeypatch.setattr(stream, "MAX_DECOMPRESSED_BYTES", 1_000_000)
    bomb = gzip.compress(articles(article(pmid="1")).removesuffix(b"</PubmedArticleSet>\n") + b" " * 5_000_000)
    assert outcomes(read_bytes(bomb)) == ["Document", "too_large"]


def test_deep_json_is_a_reject_of_its_line(read_bytes: ReadBytes) -> None:
    """Catches the recursion error that deep nesting raises in a JSON parser; brackets in strings nest nothing."""
    deep = b'{"id": 1, "text": ' + b"[" * 100_000
    flat = json.dumps({"id": 2, "text": '[{"' * 50_000}).encode()
    assert outcomes(read_bytes(b'{"id": 0, "text": "a"}\n' + deep + b"\n" + flat)) == [
        "Document",
        "too_large",
        "Document",
    ]


def check_invariants(content: bytes, read_bytes: ReadBytes, cut: int) -> None:
    """Records are numbered without gaps, and two ranges join to the whole."""
    records = read_bytes(content)
    numbers = [r.meta.record_number if isinstance(r, Document) else r.record_number for r in records]
    assert numbers == list(range(len(records)))
    assert read_bytes(content, first=0, last=cut) + read_bytes(content, first=cut) == records


@settings(max_examples=150)
@given(content=st.binary(max_size=400), packed=st.booleans(), cut=st.integers(0, 5))
def test_any_bytes_are_read_without_an_exception(content: bytes, packed: bool, cut: int, read_bytes: ReadBytes) -> None:
    """Catches any byte sequence that escapes as an exception, or that numbers or ranges do not add up for."""
    check_invariants(gzip.compress(content) if packed else content, read_bytes, cut)


@settings(max_examples=300)
@given(
    form=st.sampled_from(sorted(ALL_FORMS)),
    position=st.floats(0, 1),
    removed=st.integers(0, 20),
    added=st.binary(max_size=12)
    | st.sampled_from([b"<!--", b"]]>", b"&#0;", b"<![CDATA[", b"\r", b"%0 ", b"RT ", b"{}"]),
    packed=st.booleans(),
    cut=st.integers(0, 5),
)
def test_damaged_dumps_are_read_without_an_exception(
    form: str, position: float, removed: int, added: bytes, packed: bool, cut: int, read_bytes: ReadBytes
) -> None:
    """Catches damage in the midst of a good dump that escapes as an exception, or loses or doubles a record."""
    content = ALL_FORMS[form]
    at = int(position * len(content))
    damaged = content[:at] + added + content[at + removed :]
    check_invariants(gzip.compress(damaged) if packed else damaged, read_bytes, cut)


@pytest.mark.parametrize("encoding", ["GB18030", "gbk", "Big5"])
def test_an_xml_file_in_a_chinese_encoding_says_how_to_convert_it(encoding: str, read_bytes: ReadBytes) -> None:
    """Catches a message about an inner part of a parser, from which nobody knows what to do."""
    content = articles(article("<ArticleTitle>心理</ArticleTitle>")).decode().replace("utf-8", encoding, 1)
    message = only_reject(read_bytes(content.encode(encoding)), "bad_encoding")
    assert f"iconv -f {encoding} -t UTF-8" in message
