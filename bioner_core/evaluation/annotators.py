"""The annotator of an evaluation: that of production, or the same model with the decoder that defines what is right."""

from bioner_core.annotator import ModelAnnotator
from bioner_core.decoding.decoder import Decoder
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.directory import model_folder
from bioner_core.models.fingerprint import annotator_fingerprint
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.selector.selector import load_selector

DECODERS = ("drafted", "reference")


def evaluation_annotator(
    label_set: LabelSet, *, model: str, precision: str, use_selector: bool, decoder: str
) -> tuple[ModelAnnotator, bool]:
    """The annotator, and whether a selector has a say in it.

    Raises:
        ModelError: the model or its base is missing or damaged, or does not know a tag.
        ConfigurationError: unknown precision or decoder.
    """
    folder = model_folder(model)
    if decoder not in DECODERS:
        raise ConfigurationError(f"decoder: {decoder!r}; choose from {', '.join(DECODERS)}")
    loaded = load_model(folder, precision=precision)
    selector = load_selector(folder, loaded) if use_selector else None
    annotator = ModelAnnotator(
        loaded,
        [label_set],
        fingerprint=annotator_fingerprint(folder, [label_set], precision=precision, use_selector=use_selector),
        decoder=_decoder(decoder, loaded),
        selector=selector,
    )
    return annotator, selector is not None


def _decoder(name: str, loaded: LoadedModel) -> Decoder:
    return ReferenceDecoder(loaded.network) if name == "reference" else DraftedDecoder(loaded.network)
