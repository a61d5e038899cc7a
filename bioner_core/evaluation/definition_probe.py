"""Whether a model reads what a type is: it is told something wrong of it, and then the same under another name.

A model that knows a type by its tag alone scores the same when the type is defined as rivers and mountains; one that
reads marks nothing then. And it must not mind a name that it has never seen, where the definition says what is meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.run import evaluate_annotator
from bioner_core.inference.annotation import Annotator
from bioner_core.labels.label_set import EntityType, LabelSet

WRONG_DEFINITION = ("names of towns, rivers and mountains", "城镇、河流和山脉的名称")
"""Nothing in any biomedical corpus is one of these, so whatever is marked under it was not read."""

NEW_NAME = ("kind seven", "七类")
"""Says nothing of the type; its definition has to."""


@dataclass(frozen=True, slots=True)
class DefinitionProbe:
    """F1 of one type, every candidate counted: as it is defined, defined wrongly, and rightly under another name."""

    type: str
    f1: float
    f1_wrong_definition: float
    f1_new_name: float


def probe_label_sets(label_set: LabelSet, type_name: str) -> tuple[LabelSet, LabelSet]:
    """The label set with a type defined wrongly, and with the type under another name; in the output it keeps its own.

    Raises:
        ConfigurationError: the label set has no such type.
    """
    label_set.restricted_to((type_name,))
    english, chinese = WRONG_DEFINITION
    wrong = {"definition_en": english, "definition_zh": chinese}
    renamed = {"en": NEW_NAME[0], "zh": NEW_NAME[1]}
    return (
        _with_words(label_set, type_name, wrong, f"{label_set.name}, {type_name} defined wrongly"),
        _with_words(label_set, type_name, renamed, f"{label_set.name}, {type_name} under another name"),
    )


def probe_definition(
    annotator: Annotator, records: Sequence[GoldRecord], *, label_set: LabelSet, type_name: str
) -> DefinitionProbe:
    """Annotate the records three times; the annotator must be loaded with the label set and its `probe_label_sets`."""
    found = []
    for one in (label_set, *probe_label_sets(label_set, type_name)):
        run = evaluate_annotator(
            annotator, records, label_set=one.name, types=frozenset({type_name}), has_selector=True
        )
        every = run.without_selector or run.evaluation
        found.append(every.strict.f1)
    return DefinitionProbe(type_name, *found)


def _with_words(label_set: LabelSet, type_name: str, words: Mapping[str, Any], name: str) -> LabelSet:
    types: tuple[EntityType, ...] = tuple(
        replace(one, **words) if one.name == type_name else one for one in label_set.types
    )
    return replace(label_set, name=name, types=types)
