"""JSON lines with nested entities, and flat CoNLL."""

import json
from collections.abc import Iterator
from typing import Any

from bioner_core.documents import Document
from bioner_core.export.conll import outermost
from bioner_core.formats.reader import read_records
from bioner_core.text.units import split_units
from tests.bioner_core.export.awkward_store import DOCUMENTS, ENGLISH, ENGLISH_FOUND, MENTIONS, mentions_of
from tests.bioner_core.export.conftest import Export


def nested(entities: list[dict[str, Any]], parent: dict[str, Any] | None = None) -> Iterator[tuple[Any, Any]]:
    """Each entity with the one that holds it."""
    for one in entities:
        yield one, parent
        yield from nested(one["children"], one)


def test_each_entity_stands_inside_its_parent(export: Export) -> None:
    """Catches children beside their parents, and offsets that do not fit the passage."""
    path, _ = export("jsonl", all_candidates=True)
    seen = set()
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        for passage in json.loads(line)["passages"]:
            for one, parent in nested(passage["entities"]):
                assert passage["text"][one["start"] : one["end"]] == one["text"]
                assert (parent["id"] if parent else None) == MENTIONS[one["id"]].parent_id
                seen.add(one["id"])
    assert seen == set(MENTIONS)


def test_our_own_reader_has_the_same_texts(export: Export) -> None:
    """Catches an export that cannot be annotated again."""
    path, _ = export("jsonl")
    found = [one for one in read_records(str(path)) if isinstance(one, Document)]
    assert {one.passages for one in found} == {one.passages for one in DOCUMENTS.values()}


def conll_passages(text: str) -> Iterator[tuple[str, int, list[list[str]]]]:
    """Document id, passage number and the token lines of each passage."""
    for block in text.split("-DOCSTART-\t")[1:]:
        head, *lines = block.split("\n")
        name, number, tag = head.split("\t")
        assert tag == "O"
        yield name, int(number), [line.split("\t") for line in lines if line]


def test_tags_give_back_the_outermost_mentions(export: Export) -> None:
    """Catches tags of nested mentions, an I without a B, tokens that hold blanks, and offsets that are off."""
    path, report = export("conll", label_set="genia")
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    spans = []
    for name, number, lines in conll_passages(text):
        passage = DOCUMENTS[name].passages[number].text
        for token, start, end, tag in lines:
            assert passage[int(start) : int(end)] == token
            assert token.strip() == token
            if tag.startswith("B-"):
                spans.append([name, number, int(start), int(end), tag[2:]])
            elif tag.startswith("I-"):
                assert spans[-1][4] == tag[2:]
                spans[-1][3] = int(end)
    genia = [one for one in MENTIONS.values() if one.label_set == "genia" and one.accepted and one.parent_id is None]
    expected = sorted((m.doc_id, m.passage_index, m.start, m.end, m.type.replace(" ", "_")) for m in genia)
    assert sorted(map(tuple, spans)) == expected
    assert report["left_out_mentions"] == 2
    assert "flat" in report["note"]


def test_every_visible_character_is_in_a_token(export: Export) -> None:
    """Catches text that is lost between sentences."""
    path, _ = export("conll")
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    for name, number, lines in conll_passages(text):
        passage = DOCUMENTS[name].passages[number].text
        whole = "".join(passage[unit.core : unit.end] for unit in split_units(passage))
        assert "".join(one[0] for one in lines) == "".join(whole.split())


def test_of_crossing_mentions_the_longest_stays() -> None:
    """Catches two tags on one token when label sets cross."""
    found = [one for one in mentions_of(ENGLISH, ENGLISH_FOUND) if one.passage_index == 0]
    kept = [one.text for one in outermost(found)]
    assert kept == ["CD28 surface receptor"]
    assert outermost([]) == []
