"""All candidates that a selector's settings ask for: a file for each corpus, made by one process or by several.

    settings --pieces_of--> pieces --a process takes one after another--> files --load--> candidates, in their order

A file that is there, made by the same model under the same settings, is not made again: a run that was interrupted goes
on, and the fit can be tried as often as one likes. The fit always reads the files, so that it is the same either way.
"""

import hashlib
import itertools
import json
import multiprocessing
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import torch

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.evaluation.corpora import gold_sentences
from bioner_core.file_digest import sha256_of_file
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.directory import ADAPTER_FOLDER, ADAPTER_WEIGHTS, ROWS_FILE
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import ModelCard, other_label_sets
from bioner_core.models.tag_choice import is_free
from bioner_core.training.batches import mixed_batches
from bioner_core.training.borrowed_candidates import in_new_words, in_other_text
from bioner_core.training.corpora import build_mix, corpus_label_set, training_records
from bioner_core.training.other_words import reworded
from bioner_core.training.selector_candidates import (
    CorpusCandidates,
    candidates_file,
    load_candidates,
    make_candidates,
    save_candidates,
)
from bioner_core.training.selector_settings import EarlierStage, SelectorSettings
from bioner_core.training.settings import CorpusMix, SftSettings, read_settings

_OF_THE_FIT = frozenset({"epochs", "batch_spans", "learning_rate", "weight_decay", "dropout", "threads"})
"""Settings that say nothing of the candidates."""


class PieceKind(StrEnum):
    """Where candidates come from; the last two are borrowed (`borrowed_candidates.py`)."""

    OWN = "own"
    NEW_WORDS = "new words"
    OTHER_TEXT = "other text"


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into one file: `place` is that of its corpus, or of its other text, in the settings.

    `is_first`: it is its label set's first corpus, which has the label set's development file.
    """

    kind: PieceKind
    place: int
    label_set: str
    corpus: str
    is_first: bool = False


def pieces_of(settings: SelectorSettings, corpora: Sequence[CorpusMix], *, has_free_tags: bool) -> list[Piece]:
    """The pieces of settings: every corpus; corpora under new words, of a model that has free tags; and other text.

    Raises:
        ConfigurationError: two of them would have one file.
    """
    found: list[Piece] = []
    for place, corpus in enumerate(corpora):
        name = load_label_set(corpus.label_set).name
        is_first = name not in {one.label_set for one in found}
        found.append(Piece(PieceKind.OWN, place, name, _folder_name(corpus.file), is_first))
    if settings.new_words and has_free_tags:
        for place, corpus in enumerate(corpora):
            other_words = reworded(corpus_label_set(corpus))
            if other_words is not None and corpus.held_out:
                found.append(Piece(PieceKind.NEW_WORDS, place, other_words.name, _folder_name(corpus.file)))
    for place, other in enumerate(settings.other_text):
        name = load_label_set(other.label_set).name
        found.append(Piece(PieceKind.OTHER_TEXT, place, name, _folder_name(other.file)))
    for (label_set, folder), count in Counter((one.label_set, one.corpus) for one in found).items():
        if count > 1:
            raise ConfigurationError(
                f"corpora, other_text: {count} files in folders named {folder!r} with label set {label_set!r}; "
                "corpora are told apart by their folders, so put each into one of its own"
            )
    return found


def collect_candidates(
    model: Path,
    settings: SelectorSettings,
    *,
    log: Callable[[str], None],
    keep_in: Path | None = None,
    processes: int = 1,
) -> list[CorpusCandidates]:
    """Have the model of a folder tag the sentences of every corpus that it was fine-tuned on.

    With several processes each holds the model, and takes one corpus after another.

    Raises:
        ConfigurationError: as `pieces_of`; or no process is to do it.
        ModelError: a file in `keep_in` is damaged, or another model or other settings made it; or a process was killed.
    """
    if processes < 1:
        raise ConfigurationError(f"processes: {processes}; give a number from 1")
    loaded = load_model(model)
    sft_settings, _ = read_settings(Path(settings.sft_settings))
    pieces = pieces_of(settings, sft_settings.corpora, has_free_tags=any(map(is_free, loaded.card.tags)))
    maker = made_by(model, loaded.card, settings=settings)
    with _folder(keep_in) as folder:
        there = [one for one in pieces if candidates_file(folder, one.label_set, corpus=one.corpus).exists()]
        # Before the work of many minutes: files that do not fit would be refused after it, too.
        found = {one: load_candidates(folder, one.label_set, corpus=one.corpus, made_by=maker) for one in there}
        missing = [one for one in pieces if one not in found]
        unseen = _unseen_of(missing, sft_settings, loaded, settings)
        work = [(one, unseen.get(one.place, []) if one.kind is PieceKind.OWN else []) for one in missing]
        if processes == 1 or len(work) < 2:
            for piece, sentences in work:
                made = _made(piece, sentences, loaded, settings)
                save_candidates(folder, made, made_by=maker)
                log(_in_words(made))
        else:
            _make_in_processes(work, model, settings, folder=folder, maker=maker, processes=processes, log=log)
        found |= {one: load_candidates(folder, one.label_set, corpus=one.corpus, made_by=maker) for one in missing}
    return [found[one] for one in pieces]


def made_by(folder: Path, card: ModelCard, *, settings: SelectorSettings) -> str:
    """What makes candidates what they are, as a digest: weights, biases of unknown label sets, settings."""
    about = {
        "adapter": sha256_of_file(folder / ADAPTER_FOLDER / ADAPTER_WEIGHTS),
        "rows": sha256_of_file(folder / ROWS_FILE),
        "biases": unknown_label_sets(card.open_bias),
        "settings": {name: value for name, value in asdict(settings).items() if name not in _OF_THE_FIT},
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def unknown_label_sets(open_bias: dict[str, float]) -> dict[str, float]:
    """The biases of label sets that the model was not trained for, one per language."""
    mark = other_label_sets("")
    return {name: bias for name, bias in open_bias.items() if name.startswith(mark)}


def unseen_sentences(
    settings: SftSettings, loaded: LoadedModel, *, earlier: Sequence[EarlierStage] = ()
) -> list[list[GoldSentence]]:
    """For each corpus, the training sentences that no stage of fine-tuning came to, found by replaying their batches.

    Where every sentence was seen, all of them: their false positives are fewer then, but still the model's own.
    """
    training = loaded.card.training
    stages = [(settings, training.get("batches", training["steps"]))]
    stages.extend((read_settings(Path(one.sft_settings))[0], one.batches) for one in earlier)
    seen = set().union(*(_seen_tokens(*stage, loaded) for stage in stages))
    mix = build_mix(settings, loaded.vocabulary)
    found: list[list[GoldSentence]] = []
    for corpus, mixed in zip(settings.corpora, mix, strict=True):
        sentences = gold_sentences(training_records(corpus), keep=loaded.card.characters)
        lines = len(mixed.examples) // len(sentences)
        fresh = [one for index, one in enumerate(sentences) if mixed.examples[index * lines].input_ids not in seen]
        found.append(fresh or sentences)
    return found


def _seen_tokens(settings: SftSettings, batch_count: int, loaded: LoadedModel) -> set[tuple[int, ...]]:
    """The token ids of every example that a stage of fine-tuning trained on."""
    mix = build_mix(settings, loaded.vocabulary)
    batches = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    return {one.input_ids for batch in itertools.islice(batches, batch_count) for one in batch}


def _unseen_of(
    missing: Sequence[Piece], sft_settings: SftSettings, loaded: LoadedModel, settings: SelectorSettings
) -> dict[int, list[GoldSentence]]:
    if settings.train_on_held_out or all(one.kind is not PieceKind.OWN for one in missing):
        return {}
    return dict(enumerate(unseen_sentences(sft_settings, loaded, earlier=settings.earlier)))


def _made(
    piece: Piece, unseen: Sequence[GoldSentence], loaded: LoadedModel, settings: SelectorSettings
) -> CorpusCandidates:
    if piece.kind is PieceKind.OTHER_TEXT:
        return in_other_text(settings.other_text[piece.place], loaded, settings=settings)
    corpus = read_settings(Path(settings.sft_settings))[0].corpora[piece.place]
    if piece.kind is PieceKind.NEW_WORDS:
        label_set = reworded(corpus_label_set(corpus))
        if label_set is None:
            raise ConfigurationError(f"{corpus.label_set}: has no other words")
        return in_new_words(corpus, label_set, loaded=loaded, settings=settings)
    return make_candidates(corpus, unseen, loaded=loaded, settings=settings, first=piece.is_first)


# Of a process that makes candidates: what it has loaded.
_own: tuple[LoadedModel, SelectorSettings] | None = None


def _begin(model: Path, settings: SelectorSettings, threads: int) -> None:
    global _own
    # A terminal interrupts all of its processes; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    torch.set_num_threads(threads)
    torch.manual_seed(settings.seed)
    _own = (load_model(model), settings)


def _make(piece: Piece, unseen: Sequence[GoldSentence], folder: Path, maker: str) -> str:
    if _own is None:
        raise RuntimeError("the process has not begun")
    made = _made(piece, unseen, *_own)
    save_candidates(folder, made, made_by=maker)
    return _in_words(made)


def _make_in_processes(
    work: Sequence[tuple[Piece, Sequence[GoldSentence]]],
    model: Path,
    settings: SelectorSettings,
    *,
    folder: Path,
    maker: str,
    processes: int,
    log: Callable[[str], None],
) -> None:
    threads = max(1, (settings.threads or torch.get_num_threads()) // processes)
    with ProcessPoolExecutor(
        min(processes, len(work)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(model, settings, threads),
    ) as pool:
        try:
            for done in as_completed([pool.submit(_make, piece, unseen, folder, maker) for piece, unseen in work]):
                log(done.result())
        except BrokenProcessPool as error:
            raise ModelError(
                "a process that tagged sentences was killed, for want of memory perhaps: with fewer --processes the "
                "same command goes on from the folder of --candidates"
            ) from error
        except BaseException:
            # An error or an interrupt: what was begun takes minutes more, and the end of the block would wait for it.
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def _in_words(made: CorpusCandidates) -> str:
    count = sum(len(part.tag) for part in made.training)
    return (
        f"{made.label_set} ({made.corpus}): opening bias {made.bias:+.2f}, development F1 "
        f"{made.development_f1:.4f}; {count} training candidates"
    )


def _folder_name(file: str) -> str:
    return Path(file).parent.name


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bioner-candidates-") as folder:
        yield Path(folder)
