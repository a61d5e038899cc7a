"""From gold corpora to training examples: the mix, the characters that earn a row, and the sentences."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord, gold_sentences
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.tag_choice import free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.text.folding import fold
from bioner_core.training.batches import MixedCorpus
from bioner_core.training.earlier_stage import run_prompt_version
from bioner_core.training.examples import ExampleBuilder, LostGold
from bioner_core.training.held_out import as_compared, sentence_texts, split_records
from bioner_core.training.prompt_variation import usual_prompt
from bioner_core.training.settings import CorpusMix, SftSettings


def training_records(corpus: CorpusMix) -> list[GoldRecord]:
    """The records of a corpus that may be trained on: all but the held-out tail.

    Raises:
        InputError: the file cannot be read or is no gold corpus.
        ConfigurationError: nothing is left to train on.
    """
    return split_records(corpus)[0]


@dataclass(frozen=True, slots=True)
class MixSentences:
    """What of a corpus is trained on: its records, and their sentences but those that are held out of the mix.

    `over_ends` gold mentions cross the end of a sentence, `left_out` sentences hold `left_out_gold` of them.
    """

    records: tuple[GoldRecord, ...]
    sentences: tuple[GoldSentence, ...]
    over_ends: int
    left_out: int
    left_out_gold: int


def mix_sentences(corpora: Sequence[CorpusMix], *, keep: str, leave_out: bool = True) -> list[MixSentences]:
    """The training sentences of each corpus of a mix, as a model reads them that keeps the characters of `keep`.

    A sentence that stands in the held-out end of any corpus is in none; `leave_out` is false only for a replay of runs
    from before that rule.

    Raises:
        InputError, ConfigurationError: as `training_records`; or every sentence of a corpus is held out.
    """
    split = [split_records(one) for one in corpora]
    held_out = frozenset(text for _, tail in split for text in sentence_texts(tail)) if leave_out else frozenset()
    return [_sentences_of(corpus, records, held_out, keep) for corpus, (records, _) in zip(corpora, split, strict=True)]


def _sentences_of(
    corpus: CorpusMix, records: Sequence[GoldRecord], held_out: frozenset[str], keep: str
) -> MixSentences:
    every = gold_sentences(records, keep=keep)
    kept = [one for one in every if as_compared(one.text) not in held_out] if held_out else every
    if not kept:
        raise ConfigurationError(
            f"corpora.held_out: every sentence of {corpus.file!r} stands in the held-out end of a corpus of this mix, "
            "so that none is left to train on; hold out fewer records, or leave the corpus out"
        )
    placed, kept_gold = (sum(len(one.spans) for one in some) for some in (every, kept))
    marked = sum(len(record.spans) for record in records)
    return MixSentences(tuple(records), tuple(kept), marked - placed, len(every) - len(kept), placed - kept_gold)


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


def named_label_sets(corpora: Sequence[CorpusMix]) -> dict[str, LabelSet]:
    """The label sets of the corpora, as `corpus_label_set` gives them, by their names.

    Raises:
        ConfigurationError: as `corpus_label_set`; or two that differ have one name.
    """
    found: dict[str, LabelSet] = {}
    for corpus in corpora:
        one = corpus_label_set(corpus)
        if found.setdefault(one.name, one) != one:
            raise ConfigurationError(
                f"corpora.label_set: {corpus.label_set!r} has the name {one.name!r}, and so has another label set with "
                "other types or definitions; give each a name of its own"
            )
    return found


def build_mix(settings: SftSettings, vocabulary: TaggingVocabulary, *, leave_out: bool = True) -> list[MixedCorpus]:
    """Training examples of every corpus in the mix, with its weight; `leave_out` as for `mix_sentences`.

    Raises:
        InputError, ConfigurationError: as `mix_sentences` and `named_label_sets`; or a corpus marks no type of its
            label set, so that all of it would say that there is nothing to find.
    """
    named_label_sets(settings.corpora)
    sentences = mix_sentences(settings.corpora, keep="".join(vocabulary.characters), leave_out=leave_out)
    corpora = [
        _unweighted(corpus, trained, settings, vocabulary)
        for corpus, trained in zip(settings.corpora, sentences, strict=True)
    ]
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


def _unweighted(
    corpus: CorpusMix, trained: MixSentences, settings: SftSettings, vocabulary: TaggingVocabulary
) -> MixedCorpus:
    label_set = corpus_label_set(corpus)
    _check_types(trained.records, label_set, corpus.file)
    version = run_prompt_version(settings)
    prompt = usual_prompt(label_set, vocabulary=vocabulary, scheme=settings.scheme, version=version).tokens
    builder = ExampleBuilder(label_set, prompt, vocabulary=vocabulary, scheme=settings.scheme)
    # Invariant: the examples stand in the order of `mix_sentences`: by their places it is told which were trained on.
    examples = tuple(made for one in trained.sentences for made in builder.examples(one.text, one.spans))
    marked = sum(len(record.spans) for record in trained.records) - trained.left_out_gold
    # Also the few of which folding leaves nothing.
    outside = LostGold(over_sentence_ends=trained.over_ends)
    return MixedCorpus(label_set.name, 1.0, examples, marked, builder.lost + outside, trained.left_out)


def _check_types(records: Sequence[GoldRecord], label_set: LabelSet, file: str) -> None:
    marked = {span.type for record in records for span in record.spans}
    if marked and marked.isdisjoint(label_set.type_names):
        raise ConfigurationError(
            f"corpora.label_set: {file!r} marks {sorted(marked)}, and none of these is a type of {label_set.name!r}, "
            f"which has {list(label_set.type_names)}: name the label set of the corpus, or rename its types"
        )
