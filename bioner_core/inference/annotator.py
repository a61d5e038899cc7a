"""Texts in, candidates out: the one object that an actor holds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bioner_core.decoding.decoder import Decoder
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import PreparedLabelSet, prepare_parts
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.rows import DecodedRow, DecodingRow, tag_score
from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchLimits, plan_batches
from bioner_core.inference.budget import MemoryLimit
from bioner_core.inference.context import longest_piece, pieces_within
from bioner_core.inference.device_budget import find_limits, is_out_of_memory, trial_of
from bioner_core.labels.label_set import LabelSet
from bioner_core.mentions import Candidate
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import DEFAULT_MODEL, model_folder
from bioner_core.models.extension import extend_model, find_unseen_tags
from bioner_core.models.fingerprint import annotator_fingerprint
from bioner_core.models.loading import LoadedModel, device_of, load_model
from bioner_core.models.model_card import int8_is_good, read_card
from bioner_core.models.precision import AUTO
from bioner_core.models.precision_choice import check_fast_here, choose_precision, with_rates
from bioner_core.models.processor import processor_name
from bioner_core.models.tag_choice import accepts, is_free, thresholds_of
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.selector.selector import Selector, extend_selector, features_of_rows, load_selector
from bioner_core.tagging.moves import TagPair, tag_pairs
from bioner_core.tagging.render import text_spans
from bioner_core.text.folding import fold
from bioner_core.text.units import Unit, split_units

DECODERS: dict[str, Callable[[TaggingModel], Decoder]] = {"drafted": DraftedDecoder, "reference": ReferenceDecoder}
"""The decoders by name; they give the same answers, the reference slowly."""


class ModelAnnotator:
    """Annotates sentences with a fine-tuned model, a decoder and, where the model has one, its selector.

    `limits` are what a batch may cost on this device; `annotate` itself takes batches of any size.

    Raises:
        ModelError: the model was not trained for a tag, or cannot see a sentence behind the prompt of a label set.
        ConfigurationError: two label sets have the same name.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        label_sets: Sequence[LabelSet],
        *,
        fingerprint: str,
        decoder: Decoder | None = None,
        selector: Selector | None = None,
    ) -> None:
        self._loaded = loaded
        self._fingerprint = fingerprint
        self.decoder: Decoder = decoder or DraftedDecoder(loaded.network)
        self._selector = selector
        self.limits = BatchLimits()
        self._prepared = {one.name: prepare_parts(one, loaded) for one in label_sets}
        self._longest = {
            name: min(longest_piece_of(one, loaded) for one in parts) for name, parts in self._prepared.items()
        }
        self._label_sets = tuple(label_sets)
        if len(self._prepared) < len(label_sets):
            names = [one.name for one in label_sets]
            raise ConfigurationError(f"label sets {names}: two of the same name; give each its own")

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that the answers depend on."""
        return self._fingerprint

    @property
    def number_format(self) -> str:
        """What the network computes in: `bfloat16`, `float32` or `int8`."""
        return self._loaded.number_format

    @property
    def has_selector(self) -> bool:
        """Whether a selector decides what is accepted."""
        return self._selector is not None

    @property
    def thresholds(self) -> dict[str, float]:
        """From which score of the selector a candidate is accepted (`models/tag_choice.py`)."""
        if self._selector is None:
            return {}
        return thresholds_of(self._loaded.card, self._label_sets)

    def find_limits(self, memory: MemoryLimit) -> None:
        """Set `limits` to what fits the device at this moment.

        Raises:
            ConfigurationError: the memory that was asked for holds no sentence.
        """
        prompts = {name: max(len(one.tokens.prefix) for one in parts) for name, parts in self._prepared.items()}
        self.limits = find_limits(
            self._loaded,
            memory,
            prompts=list(prompts.values()),
            lines=max((len(one.separators) for parts in self._prepared.values() for one in parts), default=1),
            trial=trial_of(self.annotate, max(prompts, key=prompts.__getitem__, default="")),
        )

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate a batch of one or more label sets; results are index-aligned.

        Raises:
            AnnotatorOutOfMemoryError: the batch does not fit the device.
            ConfigurationError: a request names a label set that the annotator was not given.
        """
        results: list[RowResult] = [()] * len(requests)
        named = {name: self._label_set(name) for name in dict.fromkeys(request.label_set for request in requests)}
        for name, parts in named.items():
            indices = [index for index, request in enumerate(requests) if request.label_set == name]
            texts = [requests[index].text for index in indices]
            try:
                of_parts = [self._annotate_texts(texts, prepared) for prepared in parts]
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise AnnotatorOutOfMemoryError(f"batch of {len(indices)} sentences: {error}") from error
            for index, *found in zip(indices, *of_parts, strict=True):
                results[index] = tuple(candidate for candidates in found for candidate in candidates)
        return results

    def _label_set(self, name: str) -> tuple[PreparedLabelSet, ...]:
        if name not in self._prepared:
            raise ConfigurationError(f"label set {name!r} was not loaded; this annotator has {sorted(self._prepared)}")
        return self._prepared[name]

    def _annotate_texts(self, texts: Sequence[str], prepared: PreparedLabelSet) -> list[tuple[Candidate, ...]]:
        """The candidates of each text, with offsets into it.

        The model reads its folded form, and the pieces of it that it can see are decoded as rows of their own.
        """
        most = self._longest[prepared.label_set.name]
        folded = [fold(text, keep=self._loaded.card.characters) for text in texts]
        places = [
            (index, start, text[start:end])
            for index, text in enumerate(one.text for one in folded)
            for start, end in pieces_within(text, most, count=self._loaded.vocabulary.count_tokens)
        ]
        were_cut = any(len(piece) < len(folded[index].text) for index, _, piece in places)
        found: list[list[Candidate]] = [[] for _ in texts]
        decoded = self._annotate_pieces([piece for _, _, piece in places], prepared, were_cut=were_cut)
        for (index, start, _), candidates in zip(places, decoded, strict=True):
            for one in candidates:
                first, last = folded[index].original_span(start + one.start, start + one.end)
                found[index].append(replace(one, start=first, end=last))
        return [tuple(candidates) for candidates in found]

    def _annotate_pieces(
        self, pieces: Sequence[str], prepared: PreparedLabelSet, *, were_cut: bool
    ) -> list[tuple[Candidate, ...]]:
        """A batch is taken as it is; only the pieces of long texts, which nobody planned, are made batches of here."""
        if not were_cut:
            return self._decode(pieces, prepared)
        requests = [AnnotationRequest(piece, prepared.label_set.name) for piece in pieces]
        found: list[tuple[Candidate, ...]] = [()] * len(pieces)
        for batch in plan_batches(requests, token_budget=self.limits.token_budget, max_rows=self.limits.max_rows):
            decoded = self._decode([one.text for one in batch.requests], prepared)
            for index, candidates in zip(batch.indices, decoded, strict=True):
                found[index] = candidates
        return found

    def _decode(self, texts: Sequence[str], prepared: PreparedLabelSet) -> list[tuple[Candidate, ...]]:
        units = [split_units(text) for text in texts]
        unit_ids = [tuple(self._loaded.vocabulary.unit_ids(text, one)) for text, one in zip(texts, units, strict=True)]
        rows = [
            DecodingRow(ids, separator, types)
            for ids in unit_ids
            for separator, types in zip(prepared.separators, prepared.line_types, strict=True)
        ]
        decoded = self.decoder.decode(rows, prepared.tokens)
        lines = len(prepared.separators)
        of_rows = self._candidates(decoded, [one for one in units for _ in range(lines)], prepared)
        return [
            tuple(one for row in of_rows[start : start + lines] for one in row)
            for start in range(0, len(of_rows), lines)
        ]

    def _candidates(
        self, decoded: Sequence[DecodedRow], units: Sequence[Sequence[Unit]], prepared: PreparedLabelSet
    ) -> list[list[Candidate]]:
        """The candidates of each copy line; `units` are those of its text."""
        pairs = [tag_pairs(row.moves, len(one)) for row, one in zip(decoded, units, strict=True)]
        scores = [[tag_score(row, pair) for pair in found] for row, found in zip(decoded, pairs, strict=True)]
        selected = iter(self._selected(decoded, pairs, scores, prepared))
        names, all_found = prepared.label_set.type_names, list[list[Candidate]]()
        for found, of_row, one in zip(pairs, scores, units, strict=True):
            spans = text_spans((pair.span for pair in found), one, type_names=names)
            all_found.append(
                [
                    Candidate(span.start, span.end, span.type, score, *next(selected))
                    for span, score in zip(spans, of_row, strict=True)
                ]
            )
        return all_found

    def _selected(
        self,
        decoded: Sequence[DecodedRow],
        pairs: Sequence[Sequence[TagPair]],
        scores: Sequence[Sequence[float]],
        prepared: PreparedLabelSet,
    ) -> list[tuple[float, bool]]:
        """Probability and decision for each pair of all rows; without a selector every candidate is accepted at 1."""
        places = [place for place, found in enumerate(pairs) if found]
        all_pairs = [pair for place in places for pair in pairs[place]]
        if self._selector is None or not all_pairs:
            return [(1.0, True)] * len(all_pairs)
        features = features_of_rows([decoded[place].states for place in places], [pairs[place] for place in places])
        tag_rows = [prepared.tokens.open_rows[pair.span.type_index] for pair in all_pairs]
        all_scores = [score for place in places for score in scores[place]]
        probabilities = self._selector.probabilities(features, tag_rows, tag_scores=all_scores)
        limits, label_set = self.thresholds, prepared.label_set
        types = [label_set.type_names[pair.span.type_index] for pair in all_pairs]
        return [
            (score, accepts(limits, label_set.name, type_name=one, score=score))
            for score, one in zip(probabilities, types, strict=True)
        ]


def longest_piece_of(prepared: PreparedLabelSet, loaded: LoadedModel) -> int:
    """Tokens of the longest sentence that the model can see whole, its prompt and its copy included.

    Raises:
        ModelError: the prompt leaves no room for a sentence.
    """
    return longest_piece(
        getattr(loaded.network.backbone.config, "max_position_embeddings", None),
        prompt=len(prepared.tokens.prefix),
        separator=max(map(len, prepared.separators)),
        label_set=prepared.label_set.name,
    )


def load_annotator(
    label_sets: Sequence[LabelSet],
    *,
    model: str = DEFAULT_MODEL,
    device: str | None = None,
    precision: str = AUTO,
    use_selector: bool = True,
    decoder: str = "drafted",
    memory: MemoryLimit | None = None,
    launched_on: str = "",
) -> ModelAnnotator:
    """Load a model directory (or the default model) into an annotator for these label sets.

    `launched_on` is the processor of the machine that chose the precision for a pool of actors, empty where this
    process answers for itself. `memory` is what its batches may take; their limits are found for it here, and change no
    answer and no fingerprint.

    Types that the model was not trained for are read from their definitions (`models/tag_choice.py`), or in a model
    whose tags stand for themselves composed from those that it was trained for (`models/unseen_tags.py`).

    Raises:
        ModelError: the model or its base is missing or damaged.
        ConfigurationError: unknown device, precision or decoder, a memory cap that holds no sentence, or a pool's
            precision that is slow on this processor.
    """
    if decoder not in DECODERS:
        raise ConfigurationError(f"decoder: {decoder!r}; choose from {', '.join(DECODERS)}")
    place = str(device_of(device))
    folder: Path = model_folder(model)
    card = read_card(folder)
    base = base_folder(card.base)
    choice = choose_precision(
        precision, on_gpu=place.startswith("cuda"), base=base, int8_is_good=int8_is_good(card.int8)
    )
    precision = choice.name
    if launched_on not in ("", processor_name()):
        check_fast_here(with_rates(choice, on_gpu=place.startswith("cuda"), base=base), launched_on=launched_on)
    loaded = load_model(folder, device=place, precision=precision)
    selector = load_selector(folder, loaded) if use_selector else None
    unseen = None if any(map(is_free, loaded.card.tags)) else find_unseen_tags(loaded, label_sets)
    if unseen is not None and unseen.tags:
        loaded = extend_model(loaded, unseen)
        if selector is not None:
            extend_selector(selector, unseen.weights)
    fingerprint = annotator_fingerprint(folder, label_sets, precision=precision, use_selector=use_selector)
    annotator = ModelAnnotator(
        loaded, label_sets, fingerprint=fingerprint, decoder=DECODERS[decoder](loaded.network), selector=selector
    )
    annotator.find_limits(memory or MemoryLimit())
    return annotator
