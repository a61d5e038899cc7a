"""Known types as strangers: label sets whose types have free tags, other names, and definitions that no training reads.

What a model does with types that it was not trained for cannot be measured on corpora that are kept for judging. So
known corpora stand in, under other words.
"""

from dataclasses import replace

from bioner_core.labels.label_set import EntityType, LabelSet


def reworded(label_set: LabelSet) -> LabelSet | None:
    """The label set with another name and definition of each type, in its own language; None where one has no other."""
    types = [_reworded(one, is_chinese=label_set.languages == ("zh",)) for one in label_set.types]
    kept = [one for one in types if one is not None]
    return replace(label_set, name=f"{label_set.name} in other words", types=tuple(kept)) if kept == types else None


def _reworded(one: EntityType, *, is_chinese: bool) -> EntityType | None:
    definitions = [words for words in one.untrained_definitions if words.isascii() != is_chinese]
    names = [words for words in one.other_names if words.isascii() != is_chinese]
    if not definitions:
        return None
    name, definition = (*names, one.zh if is_chinese else one.en)[0], definitions[0]
    return replace(one, en=name, zh=name, definition_en=definition, definition_zh=definition)
