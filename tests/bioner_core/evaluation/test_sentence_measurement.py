"""The module that measures the splitter: its joints, its counts, and the floor that the page promises."""

from pathlib import Path

import pytest

from bioner_core.documents import Passage, Sentence
from bioner_core.evaluation.corpora import GoldRecord, read_corpus
from bioner_core.evaluation.scoring import Score
from bioner_core.evaluation.sentence_boundaries import join_abstracts, join_neighbours, main, measure
from bioner_core.mentions import Span
from bioner_core.text.sentences import split_passage


def gold(record_id: str, text: str, *spans: Span) -> GoldRecord:
    """An English record."""
    return GoldRecord(record_id, "en", text, frozenset(spans))


ABSTRACTS = [
    gold("M:7-1", "It fell.", Span(0, 2, "X")),
    gold("M:7-0", "IL-2 rose.", Span(0, 4, "X")),
    gold("M:8-0", "Next one."),
]


def halves(passage: Passage, passage_index: int) -> list[Sentence]:
    """A splitter that cuts every text in its middle."""
    text, half = passage.text, len(passage.text) // 2
    edges = [(0, half), (half, len(text))]
    return [Sentence(passage_index, i, a, b, text[a:b], passage.lang) for i, (a, b) in enumerate(edges)]


def test_sentences_of_an_abstract_are_joined_in_order() -> None:
    """Catches joints at the blank instead of behind it, file order taken for sentence order, and lost entities."""
    first, second = join_abstracts(ABSTRACTS)
    assert first.text == "IL-2 rose. It fell."
    assert first.spans == {Span(0, 4, "X"), Span(11, 13, "X"), Span(11, 12, "joint")}
    assert (second.text, second.spans) == ("Next one.", frozenset())


def test_neighbours_without_a_full_stop_are_left_out() -> None:
    """Catches a joint that no reader could see, which would count as a miss."""
    records = [gold("a", "头痛。"), gold("b", "表2"), gold("c", "发热。"), gold("d", "咳嗽？")]
    assert [record.text for record in join_neighbours(records, size=2)] == ["头痛。发热。", "咳嗽？"]


def test_counts_by_hand() -> None:
    """Catches joints that count as entities, and broken entities that are not counted."""
    row = measure("rules", split_passage, corpus="made/up", records=join_abstracts(ABSTRACTS), is_joined=True)
    assert row.boundaries == Score(1.0, 1.0, 1.0, support=1, predicted=1)
    assert (row.passages, row.entities, row.broken_entities) == (2, 2, 0)
    whole = [gold("a", "abcdef", Span(1, 4, "X"), Span(0, 3, "X"))]
    broken = measure("halves", halves, corpus="made/up", records=whole, is_joined=False)
    assert (broken.boundaries, broken.entities, broken.broken_entities) == (None, 2, 1)


def test_a_missing_corpus_ends_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a trace instead of the name of the file that is missing."""
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(tmp_path)])
    assert stopped.value.code == 2
    assert "genia/train.jsonl.gz" in capsys.readouterr().err


@pytest.mark.parametrize(("corpus", "floor"), [("genia/test", 0.99), ("cmeee/dev", 0.995)])
def test_the_splitter_keeps_its_quality(shared_folder: Path, corpus: str, floor: float) -> None:
    """Catches a change of rules that costs boundaries or breaks entities on texts that no rule was made from."""
    found = list(read_corpus(shared_folder / "data" / f"{corpus}.jsonl.gz"))
    records = join_abstracts(found) if corpus == "genia/test" else join_neighbours(found)
    row = measure("rules", split_passage, corpus=corpus, records=records, is_joined=True)
    assert row.boundaries is not None
    assert row.boundaries.f1 >= floor
    assert row.broken_entities <= row.entities / 5000
