"""A promise, the test that guards it, and a way to break it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Promise:
    """In `file`, the text `old`, which stands there once, becomes `new`; then `test` (a pytest id) must fail."""

    topic: str
    promise: str
    test: str
    file: str
    old: str
    new: str

    def break_in(self, copy: Path) -> None:
        """Break the promise in a copy of the project.

        Raises:
            ValueError: the text to be replaced does not stand there exactly once.
        """
        path = copy / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times, not once")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def read_promises() -> list[Promise]:
    """All promises, in the order of the file."""
    text = (Path(__file__).parent / "promises.toml").read_text(encoding="utf-8")
    return [Promise(**one) for one in tomllib.loads(text)["promises"]]
