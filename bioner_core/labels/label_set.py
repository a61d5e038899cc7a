"""Label sets: which entity types to look for, and what each means, as data files.

A label set is a TOML file: `name`, `languages` (those of the texts that it fits), `default` (whether `annotate` uses it
unasked), `description`, and a list of `types`. A type's `tag` names the tag token that the model knows it by: types of
different label sets that mean the same thing share a tag, and so what was learned of it.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type: its name in the output, the tag that marks it, and its name and definition in two languages."""

    name: str
    tag: str
    en: str
    zh: str
    definition_en: str
    definition_zh: str


@dataclass(frozen=True, slots=True)
class LabelSet:
    """An ordered set of entity types; the order breaks ties, so it is part of the contract."""

    name: str
    languages: tuple[str, ...]
    default: bool
    description: str
    types: tuple[EntityType, ...]

    @property
    def type_names(self) -> tuple[str, ...]:
        """The names of the types, in order."""
        return tuple(one.name for one in self.types)

    def restricted_to(self, names: tuple[str, ...]) -> "LabelSet":
        """The same label set with only the named types.

        Raises:
            ConfigurationError: a name is not a type of this label set.
        """
        unknown = [name for name in names if name not in self.type_names]
        if unknown or not names:
            raise ConfigurationError(
                f"types: {unknown} not in label set {self.name!r}; choose from {list(self.type_names)}"
            )
        kept = tuple(one for one in self.types if one.name in names)
        return LabelSet(self.name, self.languages, self.default, self.description, kept)


def bundled_label_sets() -> tuple[str, ...]:
    """Names of the label sets that come with bioner, sorted."""
    folder = resources.files("bioner_core.labels")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_label_set(name_or_path: str) -> LabelSet:
    """Load a bundled label set by name, or one of your own by the path of its TOML file.

    Raises:
        ConfigurationError: no such label set, or the file is not a label set; the message names the field.
    """
    if name_or_path in bundled_label_sets():
        text = resources.files("bioner_core.labels").joinpath(f"{name_or_path}.toml").read_text(encoding="utf-8")
        return _parse(text, origin=name_or_path)
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return _parse(path.read_text(encoding="utf-8"), origin=name_or_path)
    raise ConfigurationError(
        f"label set {name_or_path!r} not found: choose from {list(bundled_label_sets())} or give the path of a .toml file"
    )


def default_label_sets() -> tuple[LabelSet, ...]:
    """The label sets that `annotate` uses unasked: each on the languages that it fits."""
    return tuple(one for one in map(load_label_set, bundled_label_sets()) if one.default)


def _parse(text: str, *, origin: str) -> LabelSet:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"label set {origin!r} is not valid TOML: {error}") from error
    types = tuple(_entity_type(item, origin) for item in data.get("types", []))
    if not types or len({one.name for one in types}) < len(types) or len({one.tag for one in types}) < len(types):
        raise ConfigurationError(f"label set {origin!r}: give at least one [[types]], each with its own name and tag")
    return LabelSet(
        name=_field(data, "name", origin),
        languages=tuple(data.get("languages", ("en", "zh"))),
        default=bool(data.get("default", False)),
        description=str(data.get("description", "")),
        types=types,
    )


def _entity_type(item: dict[str, Any], origin: str) -> EntityType:
    name = _field(item, "name", origin)
    return EntityType(
        name=name,
        tag=str(item.get("tag", name)),
        en=str(item.get("en", name)),
        zh=str(item.get("zh", name)),
        definition_en=str(item.get("definition_en", "")),
        definition_zh=str(item.get("definition_zh", "")),
    )


def _field(item: dict[str, Any], field: str, origin: str) -> str:
    value = item.get(field)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"label set {origin!r}: field {field!r} must be a text, found {value!r}")
    return value
