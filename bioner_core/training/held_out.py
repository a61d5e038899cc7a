"""Which texts of a mix are held out of training: told by their sentences, in every corpus of the mix.

Corpora share texts: most of BioRED's abstracts stand in BC5CDR, NLM-Gene or GNormPlus too. So what one corpus holds out
is left out of all. It is compared by sentence, as the model reads it: corpora that are made of others hold single
sentences, or cut records otherwise, and a record that differs in one sentence still gives the others away.

Models that were trained before this rule saw held-out texts under the label sets of other corpora. Their batches are
replayed as they were, and what is told of them leaves out what they may have seen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord, read_corpus, record_sentences
from bioner_core.text.folding import fold
from bioner_core.training.settings import CorpusMix

HELD_OUT_TEXTS = "held_out_texts"
"""The entry of a card's table of training that says whether held-out texts were left out of every corpus."""

LEFT_OUT = "left out of every corpus"
LEFT_OUT_IN_THIS_STAGE = "left out of every corpus in this stage, but not in all before"


def split_records(corpus: CorpusMix) -> tuple[list[GoldRecord], list[GoldRecord]]:
    """The records of a corpus that may be trained on, and its held-out end.

    Raises:
        InputError: the file cannot be read or is no gold corpus.
        ConfigurationError: nothing is left to train on.
    """
    records = list(read_corpus(Path(corpus.file)))
    if len(records) <= corpus.held_out:
        raise ConfigurationError(
            f"corpora.held_out: {corpus.held_out} of {len(records)} records in {corpus.file!r} leave none to train on"
        )
    first_held_out = len(records) - corpus.held_out
    return records[:first_held_out], records[first_held_out:]


def as_compared(text: str) -> str:
    """A sentence as it is compared with others: folded, so that it is the same whatever a model reads as it is."""
    return fold(text).text


def sentence_texts(records: Iterable[GoldRecord]) -> Iterator[str]:
    """The sentences of records, as they are compared."""
    return (as_compared(one.text) for record in records for one in record_sentences(record))


def trained_texts(corpora: Sequence[CorpusMix], *, is_left_out: bool) -> frozenset[str]:
    """The sentences that a run on these corpora may have trained on, as they are compared.

    `is_left_out`: the run left the held-out texts of each corpus out of all of them.
    """
    trained: set[str] = set()
    held_out: set[str] = set()
    for corpus in corpora:
        records, tail = split_records(corpus)
        trained.update(sentence_texts(records))
        held_out.update(sentence_texts(tail))
    return frozenset(trained - held_out if is_left_out else trained)


def left_out_in_stage(training: Mapping[str, Any]) -> bool:
    """Whether the last stage of a model left held-out texts out of every corpus, by its card's table of training."""
    return training.get(HELD_OUT_TEXTS) in (LEFT_OUT, LEFT_OUT_IN_THIS_STAGE)


def left_out_in_all_stages(training: Mapping[str, Any]) -> bool:
    """Whether every stage of a model left held-out texts out of every corpus, by its card's table of training."""
    return training.get(HELD_OUT_TEXTS) == LEFT_OUT


def held_out_words(earlier: Mapping[str, Any] | None) -> str:
    """What the card of a stage says of held-out texts; `earlier` is the table of the stage that it goes on from."""
    return LEFT_OUT if earlier is None or left_out_in_all_stages(earlier) else LEFT_OUT_IN_THIS_STAGE
