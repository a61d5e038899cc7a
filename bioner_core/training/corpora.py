"""From gold corpora to training examples: the mix, the characters that earn a row, and the sentences."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord, gold_sentences, read_corpus
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.tag_choice import free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.text.folding import fold
from bioner_core.training.batches import MixedCorpus
from bioner_core.training.earlier_stage import run_prompt_version
from bioner_core.training.examples import ExampleBuilder, LostGold
from bioner_core.training.prompt_variation import usual_prompt
from bioner_core.training.settings import CorpusMix, SftSettings


def training_records(corpus: CorpusMix) -> list[GoldRecord]:
    """The records of a corpus that may be trained on: all but the held-out tail.

    Raises:
        InputError: the file cannot be read or is no gold corpus.
        ConfigurationError: nothing is left to train on.
    """
    records = list(read_corpus(Path(corpus.file)))
    if len(records) <= corpus.held_out:
        raise ConfigurationError(
            f"corpora.held_out: {corpus.held_out} of {len(records)} records in {corpus.file!r} leave none to train on"
        )
    return records[: len(records) - corpus.held_out]


def corpus_label_set(corpus: CorpusMix) -> LabelSet:
    """The types that a corpus marks, under a name that tells them from those that other corpora of the set mark.

    Raises:
        ConfigurationError: there is no such label set, or it has no such type.
    """
    whole = load_label_set(corpus.label_set)
    if not corpus.types:
        return whole
    return replace(whole.restricted_to(corpus.types), name=f"{whole.name}: {', '.join(corpus.types)}")


def tags_of(corpora: Sequence[CorpusMix]) -> tuple[str, ...]:
    """The tags of all label sets in the mix, sorted, and behind them the free ones."""
    own = sorted({one.tag for corpus in corpora for one in load_label_set(corpus.label_set).types})
    return (*own, *free_tags())


def frequent_characters(texts: Iterable[str], *, at_least: int, is_whole: Callable[[str], bool]) -> list[str]:
    """Characters outside ASCII that occur often enough to deserve an embedding row, most frequent first.

    Those that are `is_whole` have one already: the base's tokenizer does not break them into bytes.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(char for char in fold(text).text if not char.isascii())
    return [char for char, count in counts.most_common() if count >= at_least and not is_whole(char)]


def build_mix(settings: SftSettings, vocabulary: TaggingVocabulary) -> list[MixedCorpus]:
    """Training examples of every corpus in the mix, with its weight.

    Raises:
        InputError, ConfigurationError: as `training_records` and `corpus_label_set`; or a corpus marks no type of its
            label set, so that all of it would say that there is nothing to find.
    """
    corpora = [_unweighted(corpus, settings, vocabulary) for corpus in settings.corpora]
    weights = mix_weights(settings, [sum(len(one.input_ids) for one in corpus.examples) for corpus in corpora])
    return [replace(corpus, weight=weight) for corpus, weight in zip(corpora, weights, strict=True)]


def mix_weights(settings: SftSettings, sizes: Sequence[int]) -> list[float]:
    """The weights of the corpora: as given, or by temperature sampling from their sizes in tokens, summing to 1.

    A weight is proportional to size^(1/T): T = 1 is by size, a higher T gives small corpora more.
    """
    given = [corpus.weight for corpus in settings.corpora if corpus.weight is not None]
    if given:
        return given
    flattened = [size ** (1 / settings.mix_temperature) for size in sizes]
    return [one / sum(flattened) for one in flattened]


def _unweighted(corpus: CorpusMix, settings: SftSettings, vocabulary: TaggingVocabulary) -> MixedCorpus:
    label_set, records = corpus_label_set(corpus), training_records(corpus)
    _check_types(records, label_set, corpus.file)
    version = run_prompt_version(settings)
    prompt = usual_prompt(label_set, vocabulary=vocabulary, scheme=settings.scheme, version=version).tokens
    builder = ExampleBuilder(label_set, prompt, vocabulary=vocabulary, scheme=settings.scheme)
    # Invariant: the examples stand in the order of `gold_sentences`: by their places it is told which were trained on.
    sentences = gold_sentences(records, keep="".join(vocabulary.characters))
    examples = tuple(made for one in sentences for made in builder.examples(one.text, one.spans))
    marked = sum(len(record.spans) for record in records)
    # Also the few of which folding leaves nothing.
    outside = LostGold(over_sentence_ends=marked - sum(len(one.spans) for one in sentences))
    return MixedCorpus(label_set.name, 1.0, examples, marked, builder.lost + outside)


def _check_types(records: Sequence[GoldRecord], label_set: LabelSet, file: str) -> None:
    marked = {span.type for record in records for span in record.spans}
    if marked and marked.isdisjoint(label_set.type_names):
        raise ConfigurationError(
            f"corpora.label_set: {file!r} marks {sorted(marked)}, and none of these is a type of {label_set.name!r}, "
            f"which has {list(label_set.type_names)}: name the label set of the corpus, or rename its types"
        )
