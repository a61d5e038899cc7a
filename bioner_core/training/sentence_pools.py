"""The sentences that a selector may be trained and calibrated on: none that the model may have learned, and none twice.

    development file, held-out end, unseen sentences --without what was trained on--> --each in one corpus--> pools

A text that two corpora share would be judged, where one of them is left out, by a selector of the other: of the same
sentence. So it is used under one folder's name alone.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import gold_sentences, read_corpus, with_types
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel
from bioner_core.spoken import spoken_count
from bioner_core.training.held_out import (
    as_compared,
    left_out_in_all_stages,
    split_records,
    trained_texts,
)
from bioner_core.training.selector_settings import EarlierStage, OtherText, SelectorSettings, folder_name
from bioner_core.training.settings import CorpusMix, read_settings
from bioner_core.training.unseen_sentences import unseen_sentences

FEW = 50
"""Held-out sentences below which a line of the log is a warning."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is of one corpus: its development file's sentences, where it has one, its held-out and unseen ones.

    For other text, `development` alone.
    """

    name: str
    development: tuple[GoldSentence, ...] = ()
    held_out: tuple[GoldSentence, ...] = ()
    unseen: tuple[GoldSentence, ...] = ()

    def kept(self, is_kept: Callable[[GoldSentence], bool]) -> "Pool":
        """The pool with some of its sentences."""
        development, held_out, unseen = (
            tuple(filter(is_kept, part)) for part in (self.development, self.held_out, self.unseen)
        )
        return Pool(self.name, development, held_out, unseen)


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools of the corpora, and those of other texts, each by its place in the settings."""

    corpora: tuple[Pool, ...]
    other_text: tuple[Pool, ...]


def sentence_pools(
    settings: SelectorSettings, corpora: Sequence[CorpusMix], *, loaded: LoadedModel, log: Callable[[str], None]
) -> Pools:
    """The pools of settings; `corpora` are those of the model's own settings.

    Raises:
        InputError, ConfigurationError: a file cannot be read; or no held-out sentence of a corpus is left that needs
            some.
    """
    own = _corpora_pools(settings, corpora, loaded, log)
    others = [
        Pool(folder_name(one.file), development=tuple(_other_sentences(one, keep=loaded.card.characters)))
        for one in settings.other_text
    ]
    apart = _each_in_one([*own, *others], log)
    _check_left(settings, corpora, apart[: len(own)])
    return Pools(tuple(apart[: len(own)]), tuple(apart[len(own) :]))


def texts_trained_on(
    corpora: Sequence[CorpusMix], loaded: LoadedModel, *, earlier: Sequence[EarlierStage] = ()
) -> frozenset[str]:
    """The sentences that a model may have trained on, by the stages that are known, as they are compared.

    Of a model whose card does not say that all of its stages left held-out texts out of every corpus, an earlier one
    may have had the same corpora as the last.
    """
    texts = trained_texts(corpora, is_left_out=left_out_in_all_stages(loaded.card.training))
    for one in earlier:
        stage, _ = read_settings(Path(one.sft_settings))
        texts |= trained_texts(stage.corpora, is_left_out=one.held_out_texts_left_out)
    return texts


def _corpora_pools(
    settings: SelectorSettings, corpora: Sequence[CorpusMix], loaded: LoadedModel, log: Callable[[str], None]
) -> list[Pool]:
    keep = loaded.card.characters
    trained = texts_trained_on(corpora, loaded, earlier=settings.earlier)
    unseen: Sequence[Sequence[GoldSentence]] = [()] * len(corpora)
    if not settings.train_on_held_out:
        sft_settings, _ = read_settings(Path(settings.sft_settings))
        unseen = unseen_sentences(sft_settings, loaded, earlier=settings.earlier, log=log)
    found = []
    for place, corpus in enumerate(corpora):
        file = settings.development_file(corpora, place=place)
        development = gold_sentences(list(read_corpus(Path(file))), keep=keep) if file else []
        held_out = left_held_out(corpus, keep=keep, trained=trained, log=log)
        found.append(Pool(folder_name(corpus.file), tuple(development), tuple(held_out), tuple(unseen[place])))
    return found


def left_held_out(
    corpus: CorpusMix, *, keep: str, trained: Collection[str], log: Callable[[str], None]
) -> list[GoldSentence]:
    """The held-out sentences of a corpus, none where it holds none out, but those that were trained on.

    `trained` has them as `texts_trained_on` gives them. A line of the log says how many are left out.
    """
    every = gold_sentences(split_records(corpus)[1], keep=keep)
    left = [one for one in every if as_compared(one.text) not in trained]
    if len(left) < len(every):
        warning = "warning: " if len(left) < FEW else ""
        count = f"{len(every) - len(left)} of {spoken_count(len(every), 'sentence')}"
        log(
            f"{warning}{corpus.file}: of its held-out end {count} are left out, on which the model may have been "
            f"trained in this or another corpus; {len(left)} remain"
        )
    return left


def _check_left(settings: SelectorSettings, corpora: Sequence[CorpusMix], pools: Sequence[Pool]) -> None:
    """Whether each corpus has something to train on and to calibrate on, where that is to be its held-out end."""
    for place, (corpus, pool) in enumerate(zip(corpora, pools, strict=True)):
        is_calibrated_elsewhere = (
            settings.development_file(corpora, place=place) or corpus.label_set in settings.calibrate_on_unseen
        )
        if not pool.held_out and (settings.train_on_held_out or not is_calibrated_elsewhere):
            raise ConfigurationError(
                f"corpora.held_out: {corpus.held_out} for {corpus.file!r}: the model may have been trained on all of "
                "these records in some corpus, or they stand in another one too, so that none is left for the "
                "selector; name a file in [development] and do without train_on_held_out, or leave this corpus out"
            )


def _other_sentences(other: OtherText, *, keep: str) -> list[GoldSentence]:
    return gold_sentences(with_types(read_corpus(Path(other.file)), other.new_names), keep=keep)


def _each_in_one(pools: Sequence[Pool], log: Callable[[str], None]) -> list[Pool]:
    """The pools without what is used under another name: pools of one name may share.

    What judges is scarce and what was not seen is plenty: the one has its texts first, then by name.
    """
    owner: dict[str, str] = {}
    for texts_of in (_judging_texts, _unseen_texts):
        for pool in sorted(pools, key=lambda one: one.name):
            for text in texts_of(pool):
                owner.setdefault(text, pool.name)
    found = []
    for pool in pools:
        apart = pool.kept(lambda one, name=pool.name: owner[as_compared(one.text)] == name)  # type: ignore[misc]
        count = _size(pool) - _size(apart)
        if count:
            log(f"{pool.name}: {spoken_count(count, 'sentence')} used under the name of another corpus alone")
        found.append(apart)
    return found


def _judging_texts(pool: Pool) -> Iterator[str]:
    return (as_compared(one.text) for one in (*pool.development, *pool.held_out))


def _unseen_texts(pool: Pool) -> Iterator[str]:
    return (as_compared(one.text) for one in pool.unseen)


def _size(pool: Pool) -> int:
    return len(pool.development) + len(pool.held_out) + len(pool.unseen)
