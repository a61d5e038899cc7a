"""JSON lines: what a line may hold, and what makes it a reject of its own."""

import json

import pytest
from dump_samples import ReadBytes, outcomes


def test_both_forms_of_a_line(read_bytes: ReadBytes) -> None:
    """Catches passages, labels, languages or metadata that are lost, and text that is changed."""
    lines = [
        {"id": "a", "text": " 肺部感染 患者 "},
        {
            "doc_id": "jsonl:b",
            "lang": "fr",
            "version": 3,
            "passages": [
                {"section": "title", "text": "Asthma"},
                {"text": "  "},
                {"section": "abstract", "label": "METHODS", "lang": "de", "text": "x"},
            ],
            "meta": {"ids": {"doi": "10.1/x"}, "journal": "J", "year": 2020, "keywords": ["k"]},
        },
    ]
    content = "\ufeff" + "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\r\n\n"
    first, second = read_bytes(content.encode())
    assert (first.doc_id, first.lang, first.version) == ("jsonl:a", "zh", 1)
    assert [(p.section, p.lang, p.text) for p in first.passages] == [("text", "zh", " 肺部感染 患者 ")]
    assert (second.doc_id, second.lang, second.version) == ("jsonl:b", "fr", 3)
    assert [(p.section, p.label, p.lang, p.text) for p in second.passages] == [
        ("title", "", "en", "Asthma"),
        ("abstract", "METHODS", "de", "x"),
    ]
    meta = second.meta
    assert (meta.ids, meta.journal, meta.year, meta.keywords) == ((("doi", "10.1/x"),), "J", "2020", ("k",))
    assert (first.meta.record_number, meta.record_number) == (0, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 1, "text": ', "malformed"),
        ("[1]", "malformed"),
        ('{"id": 1, "text": 5}', "malformed"),
        ('{"id": 1}', "malformed"),
        ('{"id": 1, "text": "a", "passages": []}', "malformed"),
        ('{"id": 1, "passages": ["a"]}', "malformed"),
        ('{"id": 1, "passages": 7}', "malformed"),
        ('{"id": 1, "text": "a", "version": true}', "malformed"),
        ('{"id": 1, "text": "a", "version": 0}', "malformed"),
        ('{"id": 1, "text": "a", "lang": 1}', "malformed"),
        ('{"id": 1, "text": "a", "meta": []}', "no_meta"),
        ('{"id": 1, "text": "a", "meta": {"ids": [1]}}', "malformed"),
        ('{"id": 1, "text": "a", "meta": 7}', "malformed"),
        ('{"id": 1, "text": "a", "n": ' + "9" * 5000 + "}", "malformed"),
        ('{"text": "a"}', "missing_id"),
        ('{"id": true, "text": "a"}', "missing_id"),
        ('{"id": " ", "text": "a"}', "missing_id"),
        ('{"id": 1, "text": " \\n"}', "no_text"),
        ('{"id": 1, "passages": []}', "no_text"),
        ('{"id": 1, "text": "\udce4"}', "bad_encoding"),
    ],
)
def test_a_bad_line_is_one_reject_and_the_next_is_read(line: str, reason: str, read_bytes: ReadBytes) -> None:
    """Catches one bad line that ends the file or escapes as an exception."""
    good = b'{"id": "g", "text": "good"}'
    content = b"\n".join([good, line.encode(errors="surrogateescape"), good])
    expected = "Document" if reason == "no_meta" else reason
    assert outcomes(read_bytes(content)) == ["Document", expected, "Document"]
