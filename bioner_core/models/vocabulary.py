"""Token ids of units and tags.

The base model's own ids come first; after them one id per opening tag, one for the closing tag, and one per added
character. No source text can produce a tag id: units are tokenised one by one, and tags are outside the tokenizer.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bioner_core.errors import ModelError, TaggingError
from bioner_core.text.units import Unit, split_units

_CACHED_UNITS = 200_000
"""Token ids of units that are remembered: the words of literature repeat, and a unit is some 100 bytes."""
_STAND_IN = "\N{REPLACEMENT CHARACTER}"


class TaggingVocabulary:
    """Maps units to token ids, and tags to ids of their own.

    `characters` are single characters that the base tokenizer breaks into bytes and that get one id each instead: an
    English tokenizer spends three tokens on most Chinese characters.
    """

    def __init__(self, tokenizer: Any, *, base_size: int, tags: Sequence[str], characters: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.base_size = base_size
        self.tags = tuple(tags)
        self.characters = tuple(characters)
        self._open_ids = {tag: base_size + index for index, tag in enumerate(self.tags)}
        self.close_id = base_size + len(self.tags)
        self._character_ids = {char: self.close_id + 1 + index for index, char in enumerate(self.characters)}
        self._unit_ids = lru_cache(maxsize=_CACHED_UNITS)(self._encode_unit)

    @property
    def added_size(self) -> int:
        """How many ids there are beyond the base model's own."""
        return len(self.tags) + 1 + len(self.characters)

    def open_id(self, tag: str) -> int:
        """The token id of an opening tag.

        Raises:
            ModelError: the model was not trained for this tag.
        """
        if tag not in self._open_ids:
            raise ModelError(
                f"the model does not know the tag {tag!r}; it was trained for {list(self.tags)}. "
                "Give the type one of these tags in the label set, or train a model for it with `bioner train sft`."
            )
        return self._open_ids[tag]

    @property
    def begin_ids(self) -> tuple[int, ...]:
        """What the base's tokenizer puts before every text: one special token, or none."""
        begin = getattr(self.tokenizer, "bos_token_id", None)
        if begin is None or begin not in self.tokenizer.encode("", add_special_tokens=True):
            return ()
        return (int(begin),)

    def plain_ids(self, text: str) -> list[int]:
        """Token ids of instruction text, tokenised as the base model would, without special tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def unit_ids(self, text: str, units: Sequence[Unit] | None = None) -> list[tuple[int, ...]]:
        """Token ids of each unit of a text; never empty for any unit.

        Raises:
            TaggingError: the text holds an unpaired surrogate, which no tokenizer takes.
            ModelError: the base tokenizer gives no token for a unit.
        """
        return [self._unit_ids(text[unit.start : unit.end]) for unit in (units or split_units(text))]

    def count_tokens(self, text: str) -> int:
        """How many tokens a text takes when each unit is tokenised on its own; raises as `unit_ids` does."""
        return sum(map(len, self.unit_ids(text)))

    def _encode_unit(self, unit: str) -> tuple[int, ...]:
        if any("\ud800" <= char <= "\udfff" for char in unit):
            raise TaggingError(f"the text holds an unpaired surrogate in {unit!a}: it is no valid Unicode")
        core = unit[1:] if len(unit) == 2 and unit[0] == " " else unit
        added = self._character_ids.get(core)
        if added is not None:
            return (*self.plain_ids(" "), added) if core != unit else (added,)
        # SmolLM2's vocabulary lacks six control characters; a stand-in is read, the unit itself is what is copied.
        ids = tuple(self.plain_ids(unit) or self.plain_ids(_STAND_IN))
        if not ids:
            raise ModelError(f"the base tokenizer gives no token for {unit!r}; use a base with byte fallback")
        return ids
