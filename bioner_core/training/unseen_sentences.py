"""The training sentences that a model has never come to, found by replaying the batches of its stages."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel
from bioner_core.training.batches import mixed_batches
from bioner_core.training.corpora import build_mix, mix_sentences
from bioner_core.training.held_out import left_out_in_stage
from bioner_core.training.selector_settings import EarlierStage
from bioner_core.training.settings import SftSettings, read_settings

_Units = tuple[tuple[int, ...], ...]
"""A sentence as the tokens of its units, which are the same under every label set."""


def unseen_sentences(
    settings: SftSettings,
    loaded: LoadedModel,
    *,
    earlier: Sequence[EarlierStage] = (),
    log: Callable[[str], None] = lambda _: None,
) -> list[list[GoldSentence]]:
    """For each corpus, the training sentences that no stage of fine-tuning came to, under whatever label set.

    Where every sentence was seen, all of them, and a line of the log says so: their false positives are fewer then, but
    still the model's own.
    """
    training = loaded.card.training
    stages = [(settings, training.get("batches", training["steps"]), left_out_in_stage(training))]
    stages.extend(
        (read_settings(Path(one.sft_settings))[0], one.batches, one.held_out_texts_left_out) for one in earlier
    )
    seen: set[_Units] = set()
    for stage, batches, leave_out in stages:
        seen |= _seen_units(stage, batches, loaded, leave_out=leave_out)
    # What is held out in any corpus is not for training the selector either: it may be calibrated on that.
    mix = mix_sentences(settings.corpora, keep=loaded.card.characters)
    found: list[list[GoldSentence]] = []
    for corpus, mixed in zip(settings.corpora, mix, strict=True):
        fresh = [one for one in mixed.sentences if tuple(loaded.vocabulary.unit_ids(one.text)) not in seen]
        if not fresh:
            log(f"warning: {corpus.file}: the model was trained on every sentence, so that none of them is unseen")
        found.append(fresh or list(mixed.sentences))
    return found


def _seen_units(settings: SftSettings, batch_count: int, loaded: LoadedModel, *, leave_out: bool) -> set[_Units]:
    """The sentences of every example that a stage of fine-tuning trained on."""
    mix = build_mix(settings, loaded.vocabulary, leave_out=leave_out)
    batches = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    examples = (one for batch in itertools.islice(batches, batch_count) for one in batch)
    return {one.source.unit_ids for one in examples if one.source is not None}
