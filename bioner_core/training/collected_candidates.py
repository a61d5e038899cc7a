"""All candidates that a selector's settings ask for: a file for each corpus, made by one process or by several.

    settings --pieces_of--> pieces --a process takes one piece of work after another--> files --load--> candidates

The corpora of one label set are one piece of work: they choose its opening bias together. Other text comes after them,
since it is decoded with that bias. Nothing depends on the order in which the settings name the corpora.

A file that is there, made by the same model under the same settings, is not made again: a run that was interrupted goes
on, and the fit can be tried as often as one likes. The fit always reads the files, so that it is the same either way.
"""

import multiprocessing
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import torch

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.file_digest import sha256_of_file
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.directory import ADAPTER_FOLDER, ADAPTER_WEIGHTS, ROWS_FILE
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import ModelCard, other_label_sets
from bioner_core.models.tag_choice import is_free, opening_bias
from bioner_core.training.borrowed_candidates import in_new_words, in_other_text
from bioner_core.training.corpora import corpus_label_set, named_label_sets
from bioner_core.training.held_out import HELD_OUT_TEXTS
from bioner_core.training.other_words import reworded
from bioner_core.training.run_inputs import content_of, corpora_contents, digest_of
from bioner_core.training.selector_candidates import (
    CorpusCandidates,
    candidates_file,
    corpus_sentences,
    load_candidates,
    make_candidates,
    save_candidates,
)
from bioner_core.training.selector_settings import SelectorSettings, folder_name
from bioner_core.training.sentence_pools import Pool, Pools, sentence_pools
from bioner_core.training.settings import CorpusMix, read_settings

_OF_THE_FIT = frozenset({"epochs", "batch_spans", "learning_rate", "weight_decay", "dropout", "threads"})
"""Settings that say nothing of the candidates."""

_WAY = 2
"""How candidates are made from all that `made_by` digests; counted up where the same would give others."""


class PieceKind(StrEnum):
    """Where candidates come from; the last two are borrowed (`borrowed_candidates.py`)."""

    OWN = "own"
    NEW_WORDS = "new words"
    OTHER_TEXT = "other text"


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into one file: `place` is that of its corpus, or of its other text, in the settings."""

    kind: PieceKind
    place: int
    label_set: str
    corpus: str


@dataclass(frozen=True, slots=True)
class _Work:
    """Pieces that one process makes, and the sentences of each; `bias` is theirs, where they do not choose it."""

    pieces: tuple[Piece, ...]
    pools: tuple[Pool, ...]
    bias: float | None = None


def pieces_of(settings: SelectorSettings, corpora: Sequence[CorpusMix], *, has_free_tags: bool) -> list[Piece]:
    """The pieces of settings: every corpus; corpora under new words, of a model that has free tags; and other text.

    Of each kind they stand in the order of their names.

    Raises:
        ConfigurationError: two of them would have one file.
    """
    found: list[Piece] = []
    for place, corpus in enumerate(corpora):
        name = load_label_set(corpus.label_set).name
        found.append(Piece(PieceKind.OWN, place, name, folder_name(corpus.file)))
    if settings.new_words and has_free_tags:
        for place, corpus in enumerate(corpora):
            other_words = reworded(corpus_label_set(corpus))
            if other_words is not None and corpus.held_out:
                found.append(Piece(PieceKind.NEW_WORDS, place, other_words.name, folder_name(corpus.file)))
    for place, other in enumerate(settings.other_text):
        name = load_label_set(other.label_set).name
        found.append(Piece(PieceKind.OTHER_TEXT, place, name, folder_name(other.file)))
    for (label_set, folder), count in Counter((one.label_set, one.corpus) for one in found).items():
        if count > 1:
            raise ConfigurationError(
                f"corpora, other_text: {count} files in folders named {folder!r} with label set {label_set!r}; "
                "corpora are told apart by their folders, so put each into one of its own"
            )
    kinds = list(PieceKind)
    return sorted(found, key=lambda one: (kinds.index(one.kind), one.label_set, one.corpus))


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
    corpora = read_settings(Path(settings.sft_settings))[0].corpora
    named_label_sets(corpora)
    settings.check_corpora(corpora)
    loaded = load_model(model)
    pieces = pieces_of(settings, corpora, has_free_tags=any(map(is_free, loaded.card.tags)))
    maker = made_by(model, loaded.card, settings=settings)
    with _folder(keep_in) as folder:

        def load(some: Iterable[Piece]) -> dict[Piece, CorpusCandidates]:
            return {one: load_candidates(folder, one.label_set, corpus=one.corpus, made_by=maker) for one in some}

        # Before the work of many minutes: files that do not fit would be refused after it, too.
        found = load(one for one in pieces if candidates_file(folder, one.label_set, corpus=one.corpus).exists())
        missing = [one for one in pieces if one not in found]
        pools = sentence_pools(settings, corpora, loaded=loaded, log=log) if missing else Pools((), ())
        for work_of in (partial(_work_of_corpora, corpora=corpora, card=loaded.card), _work_of_other_text):
            work = work_of(missing, found, pools=pools)
            if processes == 1 or len(work) < 2:
                for one in work:
                    for line in _make_and_save(one, loaded, settings, folder=folder, maker=maker):
                        log(line)
            else:
                _make_in_processes(work, model, settings, folder=folder, maker=maker, processes=processes, log=log)
            found |= load(piece for one in work for piece in one.pieces)
    return [found[one] for one in pieces]


def _work_of_corpora(
    missing: Sequence[Piece],
    found: Mapping[Piece, CorpusCandidates],
    *,
    corpora: Sequence[CorpusMix],
    pools: Pools,
    card: ModelCard,
) -> list[_Work]:
    """The corpora of each label set together, and each corpus under new words."""
    own = [one for one in missing if one.kind is PieceKind.OWN]
    work = []
    for name in dict.fromkeys(one.label_set for one in own):
        pieces = tuple(one for one in own if one.label_set == name)
        # Of an interrupted run some files are there: they were made with the bias that all chose together.
        there = {made.bias for one, made in found.items() if one.kind is PieceKind.OWN and one.label_set == name}
        bias = there.pop() if there else None
        if bias is None and all(corpora[one.place].types for one in pieces):
            bias = _unknown_bias(card, load_label_set(corpora[pieces[0].place].label_set))
        work.append(_Work(pieces, tuple(pools.corpora[one.place] for one in pieces), bias))
    under_new_words = (one for one in missing if one.kind is PieceKind.NEW_WORDS)
    return work + [_Work((one,), (pools.corpora[one.place],)) for one in under_new_words]


def _work_of_other_text(
    missing: Sequence[Piece], found: Mapping[Piece, CorpusCandidates], *, pools: Pools
) -> list[_Work]:
    """Other texts, each with the bias that the corpora of its label set have chosen."""
    chosen = {made.label_set: made.bias for made in found.values() if made.speaks_for_label_set}
    return [
        _Work((one,), (pools.other_text[one.place],), chosen.get(one.label_set))
        for one in missing
        if one.kind is PieceKind.OTHER_TEXT
    ]


def _unknown_bias(card: ModelCard, label_set: LabelSet) -> float:
    """The bias of a label set for which no corpus speaks: what the model is used with there."""
    plain = replace(card, open_bias=unknown_label_sets(card.open_bias))
    return opening_bias(label_set, plain)


def made_by(folder: Path, card: ModelCard, *, settings: SelectorSettings) -> str:
    """What makes candidates what they are, as a digest: weights, biases of unknown label sets, settings, and texts.

    Files that the settings name count by their content.
    """
    stages = [
        read_settings(Path(one))[0] for one in (settings.sft_settings, *(e.sft_settings for e in settings.earlier))
    ]
    texts = [*settings.development.values(), *(one.file for one in settings.other_text)]
    about = {
        "way": _WAY,
        "base": card.base_sha256,
        "adapter": sha256_of_file(folder / ADAPTER_FOLDER / ADAPTER_WEIGHTS),
        "rows": sha256_of_file(folder / ROWS_FILE),
        "biases": unknown_label_sets(card.open_bias),
        "trained": [card.training.get(name) for name in ("steps", "batches", HELD_OUT_TEXTS)],
        "settings": {name: value for name, value in asdict(settings).items() if name not in _OF_THE_FIT},
        "stages": [asdict(one) for one in stages],
        "corpora": [corpora_contents(one.corpora) for one in stages],
        "texts": {file: content_of(file) for file in texts},
        "label_sets": [asdict(load_label_set(one.label_set)) for one in settings.other_text],
    }
    return digest_of(about)


def unknown_label_sets(open_bias: dict[str, float]) -> dict[str, float]:
    """The biases of label sets that the model was not trained for, one per language."""
    mark = other_label_sets("")
    return {name: bias for name, bias in open_bias.items() if name.startswith(mark)}


def _made(work: _Work, loaded: LoadedModel, settings: SelectorSettings) -> list[CorpusCandidates]:
    corpora = read_settings(Path(settings.sft_settings))[0].corpora
    first, pool = work.pieces[0], work.pools[0]
    if first.kind is PieceKind.OTHER_TEXT:
        other = settings.other_text[first.place]
        bias = _unknown_bias(loaded.card, load_label_set(other.label_set)) if work.bias is None else work.bias
        return [in_other_text(other, pool.development, bias=bias, loaded=loaded, settings=settings)]
    if first.kind is PieceKind.NEW_WORDS:
        corpus = corpora[first.place]
        label_set = reworded(corpus_label_set(corpus))
        if label_set is None:
            raise ConfigurationError(f"{corpus.label_set}: has no other words")
        return [in_new_words(corpus, label_set, held_out=pool.held_out, loaded=loaded, settings=settings)]
    sentences = [
        corpus_sentences(corpora[piece.place], one, loaded=loaded, settings=settings)
        for piece, one in zip(work.pieces, work.pools, strict=True)
    ]
    speaking = [one for one in sentences if not one.corpus.types]
    return make_candidates(sentences, loaded=loaded, settings=settings, bias=work.bias, chosen_by=speaking)


def _make_and_save(
    work: _Work, loaded: LoadedModel, settings: SelectorSettings, *, folder: Path, maker: str
) -> list[str]:
    """Make the files of a piece of work; the lines that tell of them."""
    made = _made(work, loaded, settings)
    for one in made:
        save_candidates(folder, one, made_by=maker)
    return list(map(_in_words, made))


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


def _make(work: _Work, folder: Path, maker: str) -> list[str]:
    if _own is None:
        raise RuntimeError("the process has not begun")
    return _make_and_save(work, *_own, folder=folder, maker=maker)


def _make_in_processes(
    work: Sequence[_Work],
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
            for done in as_completed([pool.submit(_make, one, folder, maker) for one in work]):
                for line in done.result():
                    log(line)
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


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bioner-candidates-") as folder:
        yield Path(folder)
