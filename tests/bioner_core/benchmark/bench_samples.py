"""A bench that takes no time: the tiny model, a gold corpus of a few sentences, no encoders."""

from pathlib import Path

from bioner_core.benchmark.decode_settings import DecodeBenchSettings
from bioner_core.benchmark.sentences import BenchSentence, draw_sentences
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.mentions import Span
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.tiny_model import TYPES, tiny_model, tiny_vocabulary
from tests.bioner_core.training.training_samples import LABEL_SET, SENTENCES

RATE = 1e9


def tiny_card(scheme: TagScheme = TagScheme.INLINE) -> ModelCard:
    """The card of the tiny model."""
    return ModelCard("tiny", "nowhere", "0" * 64, scheme, "1", TYPES, "病肺", ("tiny",))


def tiny_loaded(scheme: TagScheme = TagScheme.INLINE, seed: int = 0) -> LoadedModel:
    """The tiny model as if it had been loaded."""
    return LoadedModel(tiny_card(scheme), tiny_vocabulary(), tiny_model(seed))


def tiny_subject(scheme: TagScheme = TagScheme.INLINE, *, is_gold_forced: bool = False) -> BenchSubject:
    """The tiny model as what is benched."""
    loaded = tiny_loaded(scheme)
    prepared = prepare_label_set(LABEL_SET, loaded)
    return BenchSubject(loaded, loaded.network, prepared, RATE, is_gold_forced=is_gold_forced)


def gold_records() -> list[GoldRecord]:
    """The corpus of the training tests as gold records."""
    return [
        GoldRecord(str(index), "en", text, frozenset(Span(*one) for one in spans))
        for index, (text, spans) in enumerate(SENTENCES)
    ]


def bench_sentences(subject: BenchSubject, count: int = 100) -> list[BenchSentence]:
    """Sentences of that corpus."""
    return draw_sentences(gold_records(), subject, count=count)


def tiny_settings(**changes: object) -> DecodeBenchSettings:
    """Settings of a bench in float32 without encoders."""
    chosen: dict[str, object] = {
        "data": Path("gold.jsonl"),
        "label_set": "tiny",
        "precision": "float32",
        "skip": ("encoders",),
        "generate_sentences": 100,
    }
    return DecodeBenchSettings(**(chosen | changes))  # type: ignore[arg-type]
