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

from bioner_core.errors import ConfigurationError, cause_of

LANGUAGES = ("en", "zh")
"""The languages (ISO 639-1) of the texts that are annotated: each has its sentence splitter and its names of types."""


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type: its name in the output, the tag that marks it, and its name and definition in two languages.

    `other_names` and `other_definitions` say the same in other words, in either language; only training reads them.
    `untrained_definitions` do too, and are kept from training: they show how well a model reads new words.
    """

    name: str
    tag: str
    en: str
    zh: str
    definition_en: str
    definition_zh: str
    other_names: tuple[str, ...] = ()
    other_definitions: tuple[str, ...] = ()
    untrained_definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSetChoice:
    """A label set to annotate with, and the languages (ISO 639-1) of the sentences it is for; none means every one."""

    name: str
    languages: tuple[str, ...] = ()

    def fits(self, lang: str) -> bool:
        """Whether sentences of this language are to be annotated with this label set."""
        return not self.languages or lang in self.languages


@dataclass(frozen=True, slots=True)
class LabelSet:
    """An ordered set of entity types; the order breaks ties, so it is part of the contract.

    Raises:
        ConfigurationError: no types, or two of one name or tag, or a language that is neither `en` nor `zh`.
    """

    name: str
    languages: tuple[str, ...]
    default: bool
    description: str
    types: tuple[EntityType, ...]

    def __post_init__(self) -> None:
        count = len(self.types)
        if not count or any(len({getattr(one, kind) for one in self.types}) < count for kind in ("name", "tag")):
            raise ConfigurationError(f"label set {self.name!r}: give at least one type, each with its own name and tag")
        if isinstance(self.languages, str):
            raise ConfigurationError(
                f"label set {self.name!r}: languages is a text; give a tuple: ({self.languages!r},)"
            )
        for language in self.languages:
            if language not in LANGUAGES:
                raise ConfigurationError(
                    f"label set {self.name!r}: languages has {language!r}; choose from {', '.join(LANGUAGES)}"
                )

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
            wrong = f"{unknown} not in label set {self.name!r}" if unknown else "none named"
            raise ConfigurationError(f"types: {wrong}; choose from {list(self.type_names)}")
        kept = tuple(one for one in self.types if one.name in names)
        return LabelSet(self.name, self.languages, self.default, self.description, kept)


@cache
def bundled_label_sets() -> tuple[str, ...]:
    """Names of the label sets that come with bioner, sorted."""
    folder = resources.files("bioner_core.labels")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def load_label_set(name_or_path: str) -> LabelSet:
    """Load a bundled label set by name, or one of your own by the path of its TOML file, as it is at this moment.

    Raises:
        ConfigurationError: no such label set, or the file is not a label set; the message names the field.
    """
    if name_or_path in bundled_label_sets():
        return _bundled(name_or_path)
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return _parse(_read(path), origin=name_or_path)
    raise ConfigurationError(
        f"label set {name_or_path!r} not found: choose from {list(bundled_label_sets())} "
        "or give the path of a .toml file"
    )


@cache
def _bundled(name: str) -> LabelSet:
    text = resources.files("bioner_core.labels").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, origin=name)


def default_label_sets() -> tuple[LabelSet, ...]:
    """The label sets that `annotate` uses unasked: each on the languages that it fits."""
    return tuple(one for one in map(load_label_set, bundled_label_sets()) if one.default)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"label set {str(path)!r} cannot be read: {cause_of(error)}") from error


def _parse(text: str, *, origin: str) -> LabelSet:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"label set {origin!r} is not valid TOML: {error}") from error
    items = _field(data, "types", origin, kind=list, default=[])
    fields = {
        "name": _text(data, "name", origin),
        "languages": tuple(_field(data, "languages", origin, kind=list, default=list(LANGUAGES))),
        "default": _field(data, "default", origin, kind=bool, default=False),
        "description": _text(data, "description", origin, default=""),
        "types": tuple(_entity_type(item, origin) for item in items),
    }
    try:
        return LabelSet(**fields)
    except ConfigurationError as error:
        raise ConfigurationError(f"{origin}: {error}") from error


def _entity_type(item: Any, origin: str) -> EntityType:
    if not isinstance(item, dict):
        raise ConfigurationError(f"label set {origin!r}: each type must be a [[types]] table, found {item!r}")
    name = _text(item, "name", origin)
    tag = _text(item, "tag", origin, default=name)
    if tag.startswith("#"):
        raise ConfigurationError(f"label set {origin!r}: tag {tag!r} begins with # like a free tag; rename it")
    # The rendering for people writes `[name:text]`.
    if not name.isprintable() or any(char in "[]:\\" for char in name):
        raise ConfigurationError(
            f"label set {origin!r}: type name {name!r} holds a bracket, colon, backslash or unprintable character"
        )
    en, zh = _in_either(item, "en", "zh", origin, default=name)
    definition_en, definition_zh = _in_either(item, "definition_en", "definition_zh", origin, default="")
    return EntityType(
        name=name,
        tag=tag,
        en=en,
        zh=zh,
        definition_en=definition_en,
        definition_zh=definition_zh,
        other_names=_texts(item, "other_names", origin),
        other_definitions=_texts(item, "other_definitions", origin),
        untrained_definitions=_texts(item, "untrained_definitions", origin),
    )


def _in_either(item: dict[str, Any], english: str, chinese: str, origin: str, *, default: str) -> tuple[str, str]:
    """A text in two languages; one that is given in one language alone serves for both."""
    first = _text(item, english, origin, default=_text(item, chinese, origin, default=default))
    return first, _text(item, chinese, origin, default=first)


def _text(item: dict[str, Any], field: str, origin: str, *, default: str | None = None) -> str:
    """A text field; without a default it must be there and not be empty."""
    value: str = _field(item, field, origin, kind=str, default=default)
    if default is None and not value:
        raise ConfigurationError(f"label set {origin!r}: field {field!r} is empty; give a text")
    return value


def _texts(item: dict[str, Any], field: str, origin: str) -> tuple[str, ...]:
    """A list of texts, none of them empty; it may be missing."""
    values = _field(item, field, origin, kind=list, default=[])
    if not all(isinstance(one, str) and one for one in values):
        raise ConfigurationError(f"label set {origin!r}: field {field!r} must be a list of texts, found {values!r}")
    return tuple(values)


def _field(item: dict[str, Any], field: str, origin: str, *, kind: type, default: object = None) -> Any:
    value = item.get(field, default)
    if not isinstance(value, kind):
        raise ConfigurationError(
            f"label set {origin!r}: field {field!r} must be of type {kind.__name__}, found {value!r}"
        )
    return value
