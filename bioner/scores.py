"""A model against a gold corpus."""

from collections.abc import Mapping
from pathlib import Path

from bioner.model import Model
from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import read_corpus, with_types
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types


def evaluate(
    model: Model, gold: str | Path, *, label_set: str, new_names: Mapping[str, str] | None = None
) -> EvaluationRun:
    """Strict scores of a model on a gold corpus, JSON lines as the documents say; `run.evaluation.strict.f1` is the F1.

    `label_set` is the name of one that the model was loaded with; `new_names` gives the label set's name for types that
    the corpus calls otherwise. Records of several sentences are finished as the model finishes documents.

    Raises:
        InputError: the corpus cannot be read.
        ConfigurationError: the model was not loaded with that label set, or the corpus has other types than it.
    """
    chosen = next((one for one in model.label_sets if one.name == label_set), None)
    if chosen is None:
        names = [one.name for one in model.label_sets]
        raise ConfigurationError(f"label_set: {label_set!r}; the model was loaded with {names}")
    records = with_types(read_corpus(gold), new_names or {})
    return evaluate_annotator(
        model.annotator,
        records,
        label_set=label_set,
        types=scored_types(records, chosen),
        has_selector=getattr(model.annotator, "has_selector", False),
        document_pass=None if model.finish.document_pass else False,
    )
