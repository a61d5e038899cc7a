"""`bioner bench decode`: one run, the same sentences for all, from the floor to what an outsider would write."""

from collections.abc import Callable, Sequence

import torch

from bioner_core.benchmark.batch_bench import run_batches
from bioner_core.benchmark.batch_summary import summarise
from bioner_core.benchmark.decode_report import BatchFigures, DecodeBench
from bioner_core.benchmark.decode_settings import BATCHES, GOLD_MOVES, GPU_BATCHES, DecodeBenchSettings
from bioner_core.benchmark.machine import describe_machine
from bioner_core.benchmark.random_models import random_configuration, random_model
from bioner_core.benchmark.sentences import BenchSentence, batches_of, draw_sentences
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.evaluation.run import scored_types
from bioner_core.inference.device_budget import is_out_of_memory
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import model_folder
from bioner_core.models.loading import default_device, load_model
from bioner_core.models.model_card import int8_is_good, read_card
from bioner_core.models.precision import INT8
from bioner_core.models.precision_choice import choose_precision
from bioner_core.selector.selector import load_selector


def bench_decode(
    settings: DecodeBenchSettings,
    *,
    on_planned: Callable[[int], None] = lambda _: None,
    on_sentences: Callable[[int], None] = lambda _: None,
) -> DecodeBench:
    """Load the model, draw the sentences, and time every contender at every batch size.

    `on_planned` hears how many sentences there are, counted for each round and batch size, `on_sentences` how many more
    were done.

    Raises:
        InputError: the corpus cannot be read or has no sentence.
        ModelError: the model is missing or damaged, or does not know a tag.
        ConfigurationError: a setting names nothing that there is.
        AnnotatorOutOfMemoryError: a batch does not fit the device.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    label_set, records = load_label_set(settings.label_set), list(read_corpus(settings.data))
    scored_types(records, label_set)
    configuration = random_configuration(settings.random_config) if settings.random_config else None
    folder = model_folder(settings.model)
    card = read_card(folder)
    chosen = choose_precision(
        settings.precision,
        on_gpu=default_device() == "cuda",
        base=base_folder(card.base),
        int8_is_good=int8_is_good(card.int8),
    )
    if configuration is not None and chosen.name == INT8:
        raise ConfigurationError("precision int8: random weights are computed in float32 or bfloat16, name one")
    loaded = load_model(folder, precision=chosen.name)
    network = random_model(configuration, like=loaded.network) if configuration else loaded.network
    machine = describe_machine(loaded.device, network.added_rows.dtype)
    prepared = prepare_label_set(label_set, loaded)
    rate = machine["matrix_products_per_second"]
    is_gold_forced = settings.moves == GOLD_MOVES
    subject = BenchSubject(loaded, network, prepared, rate, is_gold_forced, load_selector(folder, loaded))
    sentences = draw_sentences(records, subject, count=settings.sentences)
    sizes = sorted(set(settings.batches or (GPU_BATCHES if loaded.device.type == "cuda" else BATCHES)))
    on_planned(len(sizes) * settings.repeats * len(sentences))
    return DecodeBench(
        model=settings.random_config or loaded.card.name,
        parameters=sum(one.numel() for one in network.parameters()),
        scheme=str(loaded.card.scheme),
        label_set=label_set.name,
        number_format=loaded.number_format,
        precision=chosen,
        repeats=settings.repeats,
        moves_from=settings.moves,
        machine=machine,
        batches=tuple(_figures(size, subject, sentences, settings, on_sentences) for size in sizes),
    )


def _figures(
    size: int,
    subject: BenchSubject,
    sentences: Sequence[BenchSentence],
    settings: DecodeBenchSettings,
    on_sentences: Callable[[int], None],
) -> BatchFigures:
    try:
        run = run_batches(subject, batches_of(sentences, size), settings=settings, on_sentences=on_sentences)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise AnnotatorOutOfMemoryError(f"batch {size} does not fit the device, name smaller ones: {error}") from error
    return summarise(subject, run, batch_size=size)
