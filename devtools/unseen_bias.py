"""How readily a model should open tags under label sets that it was not trained for: a bias, fitted on new words.

    python -m devtools.unseen_bias runs/pubtator_3 --settings bioner_core/training/recipes/pubtator_cpu_3.toml --write

Under a definition that it has not seen a model finds less, and recall is what is missing most. No corpus that is kept
for judging may be looked at, so known corpora stand in: held-out sentences, under label sets whose types have free
tags, other names, and definitions that no training reads (`untrained_definitions`). Of the biases the one with the best
F1 over all sentences of a language is printed (or one nearer to 0, where that is within half a point), and with
`--write` put into the model's card for every label set of that language that has none of its own.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.f1 import f1_from_counts
from bioner_core.models.directory import model_folder
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import other_label_sets, write_card
from bioner_core.training.borrowed_candidates import decoded_parts, drawn_sentences
from bioner_core.training.corpora import corpus_label_set
from bioner_core.training.other_words import reworded
from bioner_core.training.selector_candidates import worthwhile_bias
from bioner_core.training.sentence_pools import left_held_out, texts_trained_on
from bioner_core.training.settings import CorpusMix, read_settings
from jobs.terminal.console import quiet_transformers, say, say_error

BIASES = (0.0, 0.75, 1.5)
_BATCH_ROWS = 16
_SEED = 11


@dataclass(frozen=True, slots=True)
class WordingScores:
    """What a model found in a corpus's sentences under a label set in other words: by bias, right ones and all."""

    corpus: str
    language: str
    gold: int
    found: Mapping[float, tuple[int, int]]

    def __str__(self) -> str:
        cells = (f"{bias:+.2f}: {_figures(right, count, self.gold)}" for bias, (right, count) in self.found.items())
        return f"{self.corpus:<12} {self.gold} gold   " + "   ".join(cells)


def pooled_f1(scores: Sequence[WordingScores], bias: float) -> float:
    """F1 over all sentences of some corpora: a corpus of seven mentions does not count as much as one of a hundred."""
    right, found = (sum(one.found[bias][at] for one in scores) for at in (0, 1))
    return f1_from_counts(right, found=found, gold=sum(one.gold for one in scores))


def best_bias(scores: Sequence[WordingScores]) -> float:
    """The bias that is worth it by pooled F1."""
    return worthwhile_bias({bias: pooled_f1(scores, bias) for bias in scores[0].found})


def _figures(right: int, found: int, gold: int) -> str:
    precision, recall, f1 = right / max(found, 1), right / max(gold, 1), f1_from_counts(right, found=found, gold=gold)
    return f"P {precision:.1%} R {recall:.1%} F1 {f1:.1%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores, and the best bias of each language; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="model directory, or the name of a model that ships; it must read definitions")
    parser.add_argument("--settings", type=Path, required=True, help="TOML file that it was trained with")
    parser.add_argument("--sentences", type=int, default=60, help="of each corpus's held-out end")
    parser.add_argument("--write", action="store_true", help="put the bias into the model's card")
    given = parser.parse_args(arguments)
    quiet_transformers()
    try:
        folder = model_folder(given.model)
        loaded = load_model(folder)
        found = []
        for one in wording_scores(read_settings(given.settings)[0].corpora, loaded, sentences=given.sentences, log=say):
            print(one, flush=True)
            found.append(one)
        biases = {}
        for language in sorted({one.language for one in found}):
            of_language = [one for one in found if one.language == language]
            biases[other_label_sets(language)] = best_bias(of_language)
            pooled = ", ".join(f"{bias:+.2f}: {pooled_f1(of_language, bias):.1%}" for bias in BIASES)
            print(f"{language}: chosen {best_bias(of_language):+.2f} (F1 over all sentences {pooled})")
        if given.write:
            write_card(replace(loaded.card, open_bias={**loaded.card.open_bias, **biases}), folder)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    return 0


def wording_scores(
    corpora: Sequence[CorpusMix], loaded: LoadedModel, *, sentences: int, log: Callable[[str], None] = lambda _: None
) -> Iterator[WordingScores]:
    """Decode held-out sentences of each corpus whose types have other definitions, once with each bias.

    Sentences that the model may have trained on in another corpus are left out, and the log says how many.
    """
    trained = texts_trained_on(corpora, loaded)
    for corpus in corpora:
        label_set = reworded(corpus_label_set(corpus))
        if corpus.held_out and label_set is not None:
            held_out = left_held_out(corpus, keep=loaded.card.characters, trained=trained, log=log)
            gold = drawn_sentences(held_out, sentences, seed=_SEED)
            samples = {
                bias: decoded_parts(gold, label_set, loaded=loaded, bias=bias, batch_rows=_BATCH_ROWS)
                for bias in BIASES
            }
            found = {
                bias: (sum(int(one.is_right.sum()) for one in parts), sum(len(one.tag) for one in parts))
                for bias, parts in samples.items()
            }
            name, language = Path(corpus.file).parent.name, "".join(label_set.languages[:1])
            yield WordingScores(name, language, sum(one.gold_count for one in samples[BIASES[0]]), found)


if __name__ == "__main__":
    sys.exit(main())
