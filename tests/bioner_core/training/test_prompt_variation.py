"""Prompts that differ from batch to batch, and examples under them."""

import hashlib
import random
from pathlib import Path

import pytest

from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.mentions import Span
from bioner_core.models.tag_choice import FREE_TAG_COUNT, free_tags, is_free
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import opened_type, tag_pairs
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.examples import ExampleBuilder, TaggingExample
from bioner_core.training.prompt_variation import (
    ABSENT_TYPES,
    FEWEST_UNMARKED,
    MOST_ABSENT,
    MOST_UNMARKED,
    BatchPrompt,
    under_prompt,
    usual_prompt,
    varied_prompt,
)
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import TYPES, ByteTokenizer
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings

VOCABULARY = TaggingVocabulary(ByteTokenizer(), base_size=256, tags=(*TYPES, *free_tags()), characters="")
LABEL_SET = LabelSet(
    "tiny",
    ("en",),
    False,
    "",
    tuple(
        EntityType(one.upper(), one, one, f"{one}-zh", f"all {one}s", f"all zh {one}s", (f"{one}ish",), (f"any {one}",))
        for one in TYPES
    ),
)
WORDINGS = {one: {f"all {one}s", f"all zh {one}s", f"any {one}"} for one in TYPES}


def prompts(count: int = 300) -> list[BatchPrompt]:
    """Many drawn prompts."""
    chooser = random.Random(1)
    return [varied_prompt(LABEL_SET, ["foreign"], vocabulary=VOCABULARY, chooser=chooser) for _ in range(count)]


def described(prompt: BatchPrompt) -> list[tuple[str, str, str]]:
    """Tag, name and definition of each type, read back from the tokens."""
    found, start = [], prompt.tokens.prefix.index(prompt.open_ids[0])
    for end in prompt.tokens.definition_ends:
        tag, *words = prompt.tokens.prefix[start : end + 1]
        name, _, definition = bytes(words).decode().strip().rpartition(": ")
        found.append((VOCABULARY.tags[tag - 256], name, definition))
        start = end + 1
    return found


def test_a_drawn_prompt_defines_each_type_in_its_own_words() -> None:
    """Would catch a definition of another type, an own tag under other words, or a place that leads to another type."""
    for prompt in prompts():
        types = described(prompt)
        assert len({tag for tag, _, _ in types}) == len(types) == len(prompt.open_ids)
        assert [place for place in prompt.type_of if place is not None]
        for index, one in enumerate(TYPES):
            place = prompt.type_of[index]
            if place is not None:
                tag, name, definition = types[place]
                assert definition in WORDINGS[one]
                assert is_free(tag) or (tag, name, definition) == (one, one, f"all {one}s")
        asked = {place for place in prompt.type_of if place is not None}
        absent = {words for _, *definitions in ABSENT_TYPES for words in definitions}
        for place, (tag, _, definition) in enumerate(types):
            if place not in asked:
                assert is_free(tag)
                assert definition in absent


OTHERS = LabelSet(
    "others",
    ("en",),
    False,
    "",
    tuple(
        EntityType(f"O{number}", tag, f"o{number}", f"o{number}-zh", f"outer {number}", f"outer zh {number}")
        for number, tag in enumerate((TYPES[0], *(f"other_{number}" for number in range(29))))
    ),
)


def test_types_of_other_corpora_are_never_judged() -> None:
    """Would catch a type that a corpus does not mark taken for absent, two types of one tag, or an end of free tags."""
    vocabulary = TaggingVocabulary(
        ByteTokenizer(),
        base_size=256,
        tags=(*TYPES, *(one.tag for one in OTHERS.types[1:]), *free_tags()),
        characters="",
    )
    usual = usual_prompt(LABEL_SET, vocabulary=vocabulary, scheme=TagScheme.INLINE)
    builder = ExampleBuilder(LABEL_SET, usual.tokens, vocabulary=vocabulary, scheme=TagScheme.INLINE)
    text, spans = SENTENCES[0]
    (example,) = builder.examples(text, frozenset(Span(*one) for one in spans))
    chooser = random.Random(2)
    counts = set()
    for _ in range(300):
        prompt = varied_prompt(
            LABEL_SET, ["foreign"], vocabulary=vocabulary, chooser=chooser, others=[LABEL_SET, OTHERS]
        )
        words = bytes(one for one in prompt.tokens.prefix if one < 256).decode()
        assert len(set(prompt.open_ids)) == len(prompt.open_ids)
        assert words.count("outer ") == len(prompt.unmarked)
        assert prompt.unmarked.isdisjoint(place for place in prompt.type_of if place is not None)
        judged = under_prompt(example, prompt, vocabulary=vocabulary).type_indices
        assert set(judged) == set(range(len(prompt.open_ids))) - prompt.unmarked
        counts.add(len(prompt.unmarked))
    assert counts == set(range(FEWEST_UNMARKED, MOST_UNMARKED + 1))


def test_what_is_drawn_covers_every_case() -> None:
    """Would catch a variation that never leaves a type out, never renames one, or never asks for an absent one."""
    drawn = prompts()
    types = [one for prompt in drawn for one in described(prompt)]
    assert {name for _, name, _ in types} >= {"", "foreign", "alpha", "alphaish", "alpha-zh"}
    assert {definition for _, _, definition in types} >= set().union(*WORDINGS.values())
    assert {tag for tag, _, _ in types} >= {*TYPES, *free_tags()}
    assert any(None in prompt.type_of for prompt in drawn)
    assert any(len(prompt.open_ids) > sum(one is not None for one in prompt.type_of) for prompt in drawn)


def gold_of(example: TaggingExample, open_ids: tuple[int, ...]) -> set[tuple[int, int, int]]:
    """The spans of a copy, read back from its moves: start and end in units, and the token of the tag."""
    units = example.source.unit_ids if example.source else ()
    ids, moves, position = example.input_ids[example.copy_start :], [], 0
    while ids:
        if ids[0] in open_ids:
            moves.append(2 + open_ids.index(ids[0]))
            ids = ids[1:]
        elif ids[0] == VOCABULARY.close_id:
            moves.append(1)
            ids = ids[1:]
        else:
            moves.append(0)
            assert ids[: len(units[position])] == units[position]
            ids = ids[len(units[position]) :]
            position += 1
    return {(one.span.start, one.span.end, open_ids[one.span.type_index]) for one in tag_pairs(moves, len(units))}


@pytest.mark.parametrize(("text", "spans"), SENTENCES)
def test_an_example_marks_what_is_asked_for_and_nothing_else(
    text: str, spans: tuple[tuple[int, int, str], ...]
) -> None:
    """Would catch spans under the tag of another type, or of a type that the prompt does not ask for."""
    usual = usual_prompt(LABEL_SET, vocabulary=VOCABULARY, scheme=TagScheme.INLINE)
    builder = ExampleBuilder(LABEL_SET, usual.tokens, vocabulary=VOCABULARY, scheme=TagScheme.INLINE)
    (example,) = builder.examples(text, frozenset(Span(*one) for one in spans))
    whole = gold_of(example, usual.open_ids)
    assert under_prompt(example, usual, vocabulary=VOCABULARY) == example
    for prompt in prompts(40):
        found = gold_of(under_prompt(example, prompt, vocabulary=VOCABULARY), prompt.open_ids)
        moved = {
            (start, end, prompt.open_ids[place])
            for start, end, tag in whole
            if (place := prompt.type_of[usual.open_ids.index(tag)]) is not None
        }
        assert found == moved


def test_a_choice_is_opened_by_a_type_of_its_prompt() -> None:
    """Would catch a loss over moves that the prompt does not have."""
    usual = usual_prompt(LABEL_SET, vocabulary=VOCABULARY, scheme=TagScheme.INLINE)
    builder = ExampleBuilder(LABEL_SET, usual.tokens, vocabulary=VOCABULARY, scheme=TagScheme.INLINE)
    (example,) = builder.examples(SENTENCES[0][0], frozenset(Span(*one) for one in SENTENCES[0][1]))
    for prompt in prompts(40):
        found = under_prompt(example, prompt, vocabulary=VOCABULARY)
        assert found.type_indices == tuple(range(len(prompt.open_ids)))
        assert all(opened_type(one.move) in found.type_indices for one in found.choices if one.move >= 2)


def test_place_in_the_plan_decides_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a resumed run that trains under other prompts, and one prompt for every batch."""
    settings = tiny_settings(tmp_path, monkeypatch, varied_prompts=0.5)
    first, again = (SftRun(settings, tmp_path / name, log=lambda _: None) for name in ("one", "two"))
    usual = usual_prompt(LABEL_SET, vocabulary=first.trainable.vocabulary, scheme=TagScheme.INLINE)
    builder = ExampleBuilder(LABEL_SET, usual.tokens, vocabulary=first.trainable.vocabulary, scheme=TagScheme.INLINE)
    batch = tuple(builder.examples(SENTENCES[0][0], frozenset()))
    batches = [batch] * 12
    assert first.prompted(batches) == again.prompted(batches)
    drawn = [one.prompt.tokens.prefix for one in first.prompted(batches)]
    assert 4 <= len(set(drawn)) < 12
    assert [one.prompt for one in first.prompted(batches[3:], step=3)] == [
        one.prompt for one in again.prompted(batches)
    ][3:]


def large_label_set(size: int) -> LabelSet:
    """A label set of so many types."""
    types = (EntityType(f"T{one}", f"tag_{one}", f"t{one}", f"t{one}-zh", f"type {one}", "") for one in range(size))
    return LabelSet("large", ("en",), False, "", tuple(types))


def test_a_large_label_set_gets_as_many_types_as_there_are_free_tags() -> None:
    """Would catch a run that dies at a random batch: more free tags were drawn than there are."""
    large = large_label_set(40)
    tags = (*(one.tag for one in large.types), *free_tags())
    vocabulary = TaggingVocabulary(ByteTokenizer(), base_size=256, tags=tags, characters="")
    chooser = random.Random(3)
    for others in ((), (OTHERS,)):
        for _ in range(60):
            known = (
                vocabulary
                if not others
                else TaggingVocabulary(
                    ByteTokenizer(), base_size=256, tags=(*tags, *(one.tag for one in OTHERS.types)), characters=""
                )
            )
            prompt = varied_prompt(large, ["foreign"], vocabulary=known, chooser=chooser, others=others)
            asked = [place for place in prompt.type_of if place is not None]
            assert 1 <= len(asked) <= FREE_TAG_COUNT - MOST_ABSENT
            assert len(set(prompt.open_ids)) == len(prompt.open_ids)


def test_the_prompts_of_label_sets_that_fit_are_what_they_were() -> None:
    """Would catch one more number drawn, after which a run that goes on would see other prompts than it began with."""
    written = repr([one.tokens.prefix for one in prompts(200)])
    assert hashlib.sha256(written.encode()).hexdigest()[:16] == "fd2b22748ab18453"
