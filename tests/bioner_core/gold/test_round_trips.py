"""What bioner writes, and the shared corpora in every form, come back as the same gold."""

import random
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioner_core.export.conll import outermost
from bioner_core.gold.forms import form_of, read_form
from bioner_core.gold.lines import read_lines, write_lines
from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Span
from tests.bioner_core.gold.gold_samples import (
    as_found,
    exported,
    label_studio_task,
    write_doccano,
    write_label_studio,
)

EXPORTS = {"bioc-xml": "bioc", "bioc-json": "bioc", "pubtator": "pubtator", "brat": "brat", "jsonl": "jsonl"}
CORPORA = (
    "genia/dev",
    "bc5cdr/dev",
    "cmeee/dev",
    "cmedqaner/dev",
    "biored/dev",
    "cehrner/dev",
    "s800/train",
    "bioid/train",
)

WORDS = st.sampled_from(
    ["CD28", "IL-2", "肺炎", "患者", "😀", "𠮷", "<b>&", "|t|", "a", "T1", '"x"', "\u2028", "\t", "=1", "B-x"]
)
TYPES = st.sampled_from(["protein", "cell type/new", "解剖部位", "a_b"])


@st.composite
def records(draw: st.DrawFn) -> GoldRecord:
    """A title and an abstract of awkward words with spans at their edges, nested, double and crossing."""
    passages, spans = [], set()
    offset = 0
    for _ in range(2):
        words = draw(st.lists(WORDS, min_size=1, max_size=6))
        text = " ".join(words)
        edges = [0, *(i for i, char in enumerate(text) if char == " ")]
        for _ in range(draw(st.integers(0, 4))):
            start = draw(st.sampled_from([0, *(one + 1 for one in edges[1:])]))
            end = draw(st.sampled_from([*(one for one in edges if one > start), len(text)]))
            if text[start:end].strip() == text[start:end] != "":
                spans.add(Span(offset + start, offset + end, draw(TYPES)))
        passages.append(text)
        offset += len(text) + 2
    return GoldRecord(f"s:{draw(st.integers(1, 99))}", "en", "\n\n".join(passages), frozenset(spans))


def flat(record: GoldRecord) -> list[tuple[str, str]]:
    """The mentions by their words: what stays where a form has other blanks."""
    return sorted((" ".join(record.text[one.start : one.end].split()), one.type) for one in record.spans)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=records(), form=st.sampled_from(sorted(EXPORTS)))
def test_an_export_comes_back_or_says_what_it_lost(
    tmp_path_factory: pytest.TempPathFactory, record: GoldRecord, form: str
) -> None:
    """Catches a mention that a form of ours loses without counting it, and offsets that move on the way."""
    output = tmp_path_factory.mktemp("round") / "out"
    tally = exported([as_found(record, "title", "abstract")], form, output)
    (found,) = read_form(output)
    if found.record is None:
        assert not record.text.strip()
        return
    assert form_of(output) is not None
    assert form_of(output).name == EXPORTS[form]  # type: ignore[union-attr]
    assert not [one for one in found.misfits if one.kind != "crossing"]
    assert all(one.end <= len(found.record.text) for one in found.record.spans)
    if not tally.replaced_characters:
        assert found.record.text.split() == record.text.split()
        assert flat(found.record) == flat(record)
    assert len(found.record.spans) == len(record.spans)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=records())
def test_conll_comes_back_but_for_what_the_export_counts(
    tmp_path_factory: pytest.TempPathFactory, record: GoldRecord
) -> None:
    """Catches a flat mention that is lost, and a token that is taken for a tag or a comment."""
    output = tmp_path_factory.mktemp("round") / "out.conll"
    found = as_found(record, "title", "abstract")
    exported([found], "conll", output)
    kept = [one for index in range(2) for one in outermost([m for m in found.mentions if m.passage_index == index])]
    if not record.text.strip():
        assert not list(read_form(output))
        return
    (read,) = read_form(output)
    assert read.record is not None
    assert not read.misfits
    assert flat(read.record) == sorted((" ".join(one.text.split()), "_".join(one.type.split())) for one in kept)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=records(), in_utf16=st.booleans())
def test_tools_of_annotators_come_back(
    tmp_path_factory: pytest.TempPathFactory, record: GoldRecord, in_utf16: bool
) -> None:
    """Catches edges of a browser, which count an astral character twice, taken for code points."""
    folder = tmp_path_factory.mktemp("round")
    write_label_studio([record], folder / "tasks.json", in_utf16=in_utf16)
    write_doccano([record], folder / "doccano.jsonl")
    write_lines([record], folder / "own.jsonl")
    for name in ("tasks.json", "doccano.jsonl", "own.jsonl"):
        (found,) = read_form(folder / name)
        assert found.record is not None
        assert (found.record.text, flat(found.record)) == (record.text, flat(record)), name
        # where both ways of counting give the same words, nobody can tell which of two equal words was meant
        assert in_utf16 or found.record.spans == record.spans, name
    assert label_studio_task(record)["data"]["id"] == record.record_id


@pytest.mark.parametrize("corpus", CORPORA)
def test_shared_corpora_are_the_same_gold_in_every_form(shared_folder: Path, corpus: str, tmp_path: Path) -> None:
    """Catches a kind of text or nesting that real corpora have and a form loses."""
    gold = list(islice(read_lines(shared_folder / "data" / f"{corpus}.jsonl.gz"), 400))
    gold = random.Random(5).sample(gold, min(len(gold), 60))
    for form, own in EXPORTS.items():
        output = tmp_path / form
        tally = exported([as_found(one) for one in gold], form, output)
        found = [one.record for one in read_form(output, own)]
        assert None not in found
        by_text = sorted((one for one in found if one is not None), key=lambda one: flat_text(one.text))
        assert len(by_text) == len(gold)
        for one, wanted in zip(by_text, sorted(gold, key=lambda one: flat_text(one.text)), strict=True):
            assert flat(one) == flat(wanted) or tally.replaced_characters, (form, one.record_id)
            assert len(one.spans) == len(wanted.spans)
    for write, name in ((write_label_studio, "tasks.json"), (write_doccano, "doccano.jsonl")):
        write(gold, tmp_path / name)
        assert [one.record.spans for one in read_form(tmp_path / name) if one.record] == [one.spans for one in gold]


def flat_text(text: str) -> str:
    """The text without blanks, which line-based forms change."""
    return "".join(text.split())
