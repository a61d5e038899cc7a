"""The annotator: texts in, candidates out, aligned with the requests whatever the batch."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import pytest
import torch
from transformers import LlamaModel

from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens, tag_score
from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError, ModelError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import ModelAnnotator, longest_piece_of
from bioner_core.inference.batching import BatchLimits
from bioner_core.inference.context import pieces_within
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.mentions import Candidate
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.models.tag_choice import MOST_ASKED, asked_parts, free_tags
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import CLOSE, COPY, open_move, tag_pairs
from bioner_core.tagging.scheme import TagScheme
from bioner_core.text.units import split_units
from tests.bioner_core.tiny_model import TYPES, ByteTokenizer, tiny_config, tiny_model, tiny_vocabulary

TEXTS = ["IL-2 gene", "Activation of [CD28] receptor", "", "肺病 和 x", " ", "a  b"]


def label_set_of(name: str, *tags: str) -> LabelSet:
    """A label set whose types are named after their tags."""
    return LabelSet(name, ("en",), False, "", tuple(EntityType(tag.upper(), tag, tag, tag, "", "") for tag in tags))


FULL, PART = label_set_of("full", *TYPES), label_set_of("part", "gamma", "alpha")


def annotator_of(scheme: TagScheme = TagScheme.INLINE, *sets: LabelSet) -> ModelAnnotator:
    """An annotator with a small random model that tags often."""
    card = ModelCard("tiny", "tiny", "0", scheme, "1", TYPES, "病肺", ("full",))
    loaded = LoadedModel(card, tiny_vocabulary(), tiny_model(1))
    return ModelAnnotator(loaded, sets or (FULL, PART), fingerprint="f", decoder=ReferenceDecoder(loaded.network))


def requests_of(texts: Sequence[str], name: str = "full") -> list[AnnotationRequest]:
    """One request per text."""
    return [AnnotationRequest(text, name) for text in texts]


def places(found: object) -> list[tuple[int, int, str]]:
    """Where candidates are, without their scores."""
    assert isinstance(found, tuple)
    return [(one.start, one.end, one.type) for one in found]


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_results_are_aligned_whatever_the_batch(scheme: TagScheme) -> None:
    """Would catch candidates that go to another text, above all with several lines per text or two label sets."""
    annotator = annotator_of(scheme)
    mixed = [request for pair in zip(requests_of(TEXTS), requests_of(TEXTS, "part"), strict=True) for request in pair]
    together = [places(found) for found in annotator.annotate(mixed)]
    backwards = [places(found) for found in annotator.annotate(mixed[::-1])][::-1]
    alone = [places(annotator.annotate([request])[0]) for request in mixed]
    assert together == backwards == alone
    assert any(together), "the model never tags: the test is blind"


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_candidates_lie_in_their_text_on_unit_edges(scheme: TagScheme) -> None:
    """Would catch offsets of another text, empty candidates, or a blank at the front of one."""
    for text, found in zip(TEXTS, annotator_of(scheme).annotate(requests_of(TEXTS)), strict=True):
        units = split_units(text)
        for start, end, one in places(found):
            assert start in {unit.core for unit in units}
            assert end in {unit.end for unit in units}
            assert start < end
            assert one in FULL.type_names
        assert len(places(found)) == len(set(places(found)))


def test_a_type_is_found_by_its_tag_not_by_its_place() -> None:
    """Would catch a label set with its types in another order that finds the wrong ones."""
    swapped = label_set_of("swapped", *TYPES[::-1])
    assert [one.tag for one in swapped.types] == ["gamma", "beta", "alpha"]
    annotator = annotator_of(TagScheme.INLINE, swapped)
    (found,) = annotator.annotate(requests_of(["IL-2 gene and more of it"], "swapped"))
    assert {one for _, _, one in places(found)} <= set(swapped.type_names)
    (prepared,) = annotator._prepared["swapped"]
    assert prepared.tokens.open_rows == (2, 1, 0)
    assert prepared.tokens.open_ids == (258, 257, 256)


def reading_annotator(*sets: LabelSet) -> ModelAnnotator:
    """An annotator whose model reads definitions, with free tags alone."""
    tags = free_tags(MOST_ASKED)
    vocabulary = TaggingVocabulary(ByteTokenizer(), base_size=256, tags=tags, characters="病肺")
    torch.manual_seed(3)
    network = TaggingModel(LlamaModel(tiny_config()), added_size=vocabulary.added_size, tag_count=len(tags))
    with torch.no_grad():
        network.added_rows.normal_(std=0.25)
        network.move_rows.normal_(std=0.4)
    card = ModelCard("tiny", "tiny", "0", TagScheme.INLINE, "2", tags, "病肺", ())
    loaded = LoadedModel(card, vocabulary, network.float().eval())
    return ModelAnnotator(loaded, sets, fingerprint="f", decoder=ReferenceDecoder(loaded.network))


def test_a_long_label_set_is_asked_about_in_parts() -> None:
    """Would catch a long label set in one prompt, a part that is lost, or one that finds another part's types."""
    names = [f"type{number}" for number in range(2 * MOST_ASKED + 1)]
    whole = label_set_of("whole", *names)
    parts = [
        replace(one, name=f"part {at}") for at, one in enumerate(asked_parts(whole, reading_annotator()._loaded.card))
    ]
    assert [type_.tag for part in parts for type_ in part.types] == names
    annotator = reading_annotator(whole, *parts)
    found = annotator.annotate(requests_of(TEXTS, "whole"))
    alone = [annotator.annotate(requests_of(TEXTS, part.name)) for part in parts]
    assert [places(row) for row in found] == [
        [*chain.from_iterable(map(places, rows))] for rows in zip(*alone, strict=True)
    ]
    assert len({one for row in found for _, _, one in places(row)}) > MOST_ASKED, (
        "few types are found: the test is blind"
    )


def test_without_a_selector_all_is_accepted() -> None:
    """Would catch candidates dropped by a selector that is not there."""
    found = [one for row in annotator_of().annotate(requests_of(TEXTS)) if isinstance(row, tuple) for one in row]
    assert found
    assert all(isinstance(one, Candidate) and one.accepted and one.selector_score == 1.0 for one in found)


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_a_text_longer_than_the_context_is_cut_and_stitched(scheme: TagScheme) -> None:
    """Would catch a long text that is truncated, rejected, or whose offsets start again at each piece."""
    annotator = annotator_of(scheme)
    annotator._longest["full"] = 64  # bytes, as the tokenizer of this model counts
    sentence = "Activation of CD28 by 肺病, and of IL-2; "
    text = f"{sentence * 5}{'G' * 100} end"
    pieces = pieces_within(text, 64, count=annotator._loaded.vocabulary.count_tokens)
    assert len(pieces) >= 6
    (short, found, nothing) = annotator.annotate(requests_of(["IL-2 gene", text, "  "]))
    alone = annotator.annotate(requests_of([text[start:end] for start, end in pieces]))
    expected = [
        (origin + start, origin + end, one)
        for (origin, _), row in zip(pieces, alone, strict=True)
        for start, end, one in places(row)
    ]
    assert places(found) == expected
    assert expected[-1][0] > len(sentence) * 4, "no candidate in the later pieces: the test is blind"
    assert places(short) == places(annotator_of(scheme).annotate(requests_of(["IL-2 gene"]))[0])
    assert nothing == ()


def test_the_pieces_of_a_long_text_are_batches_within_the_limits() -> None:
    """Would catch one text of a few pages whose pieces are decoded side by side, whatever the memory."""
    annotator = annotator_of()
    annotator.limits = BatchLimits(40, 2)
    annotator._longest["full"] = 64
    sizes: list[int] = []
    decode = annotator.decoder.decode

    class Watching:
        def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
            sizes.append(len(rows))
            return decode(rows, label_set)

    annotator.decoder = Watching()
    annotator.annotate(requests_of(["Activation of CD28, " * 20]))
    assert max(sizes) <= 2
    assert len(sizes) > 2


def test_the_longest_piece_leaves_room_for_prompt_and_copy() -> None:
    """Would catch a limit that is a constant, or that of another label set."""
    for scheme in TagScheme:
        annotator = annotator_of(scheme)
        annotator._loaded.network.backbone.config.max_position_embeddings = 700  # type: ignore[union-attr]
        for (prepared,) in annotator._prepared.values():
            most = longest_piece_of(prepared, annotator._loaded)
            fixed = len(prepared.tokens.prefix) + max(map(len, prepared.separators))
            assert 0 <= 700 - fixed - 2.5 * most < 3
        annotator._loaded.network.backbone.config.max_position_embeddings = 200  # type: ignore[union-attr]
        with pytest.raises(ModelError, match="200 tokens that the model can see"):
            ModelAnnotator(annotator._loaded, [FULL], fingerprint="f")


def test_an_unknown_label_set_is_found_before_any_row_is_decoded() -> None:
    """Would catch a batch that is half done when its last request proves to be impossible."""
    annotator = annotator_of()
    annotator.decoder = FailingDevice(AssertionError("a row was decoded"))
    with pytest.raises(ConfigurationError, match="'other' was not loaded"):
        annotator.annotate([*requests_of(["a", "b"]), *requests_of(["c"], "other")])


def test_no_requests_no_results() -> None:
    """Would catch a crash on an empty batch."""
    assert annotator_of().annotate([]) == []


def test_a_label_set_that_was_not_loaded_is_named() -> None:
    """Would catch a KeyError, or a request answered with another label set."""
    with pytest.raises(ConfigurationError, match=r"'other' was not loaded; this annotator has \['full', 'part'\]"):
        annotator_of().annotate(requests_of(["a"], "other"))


def test_a_label_set_with_an_unknown_tag_is_refused_at_once() -> None:
    """Would catch a job that fails at its first sentence instead of at its start."""
    with pytest.raises(ModelError, match="planet"):
        annotator_of(TagScheme.INLINE, label_set_of("x", "planet"))


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("no more"),
        MemoryError("no more"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: no more"),
    ],
)
def test_out_of_memory_has_its_own_error(failure: Exception) -> None:
    """Would catch a full device, GPU or CPU, that rejects the rows instead of halving the batch."""
    annotator = annotator_of()
    annotator.decoder = FailingDevice(failure)
    with pytest.raises(AnnotatorOutOfMemoryError, match=r"batch of 2 sentences: .*no more"):
        annotator.annotate(requests_of(["a", "b"]))


def test_other_failures_are_not_taken_for_a_full_device() -> None:
    """Would catch a defect that is halved away, row by row, under the name of memory."""
    annotator = annotator_of()
    annotator.decoder = FailingDevice(RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(RuntimeError, match="device-side assert"):
        annotator.annotate(requests_of(["a", "b"]))


class FailingDevice:
    """A decoder that raises."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Raise."""
        raise self._failure


def test_the_tag_score_is_the_mean_of_the_decisions_that_had_a_rival() -> None:
    """Would catch a score of another span's tags, or a forced close that makes every score infinite."""
    moves = (open_move(0), COPY, open_move(1), COPY, CLOSE, CLOSE)
    margins = torch.tensor([3.0, 9.0, 1.0, 9.0, 5.0, float("inf")])
    row = DecodedRow(moves, margins, torch.zeros(7, 2))
    outer, inner = tag_pairs(moves, 2)
    assert tag_score(row, outer) == 3.0
    assert tag_score(row, inner) == 3.0
    assert tag_score(DecodedRow(moves, margins + torch.tensor([0, 0, 4.0, 0, 0, 0]), row.states), inner) == 5.0
