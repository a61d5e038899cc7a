"""What the models that ship answer to a few texts of our own, kept: a change of code cannot change answers unnoticed.

    python -m devtools.answers                       # compare with what is kept
    python -m devtools.answers --model pubtator
    python -m devtools.answers --precision bfloat16
    python -m devtools.answers --write               # after a change that is meant to change them

`tests/answers/MODEL_PRECISION.json` holds the mentions of each text and their digest. Texts come from the samples that
ship.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bioner
from bioner_core.documents import Document
from bioner_core.mentions import Mention
from bioner_core.models.directory import DEFAULT_MODEL

KEPT = Path(__file__).resolve().parent.parent / "tests" / "answers"
SAMPLES = Path(__file__).resolve().parent.parent / "bioner_core" / "samples"
DOCUMENTS = {"float32": (3, 2), "bfloat16": (1, 1), "int8": (1, 1)}
"""How many documents of the English and of the Chinese sample each precision is asked about: some are slow."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The mentions of the texts, one line each, in the order of the texts; accepted or not is part of a line."""

    model: str
    precision: str
    lines: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Sha256 of the lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, or write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name of a model that ships")
    parser.add_argument("--precision", default="float32", choices=sorted(DOCUMENTS))
    parser.add_argument("--write", action="store_true", help="keep these answers from now on")
    given = parser.parse_args(arguments)
    found = answers(given.precision, model=given.model)
    if given.write:
        write_answers(found)
        print(f"{len(found.lines)} mentions, digest {found.digest}")
        return 0
    changes = list(differences(kept_answers(given.precision, model=given.model), found))
    for line in changes:
        print(line)
    print(f"{len(found.lines)} mentions, {len(changes)} lines differ")
    return 1 if changes else 0


def answers(precision: str, *, model: str = DEFAULT_MODEL) -> Answers:
    """Ask a model, under the label sets that it is used with where nobody names any."""
    loaded = bioner.load_model(model, precision=precision)
    lines = [_line(one) for found in loaded.annotate(_documents(precision)) for one in found.mentions]
    return Answers(model, precision, tuple(lines))


def kept_answers(precision: str, *, model: str = DEFAULT_MODEL) -> Answers:
    """The answers that are kept of a model in a precision."""
    content = json.loads(_file(model, precision).read_text(encoding="utf-8"))
    return Answers(model, precision, tuple(content["mentions"]))


def write_answers(found: Answers) -> None:
    """Keep these answers."""
    KEPT.mkdir(parents=True, exist_ok=True)
    content = {"digest": found.digest, "mentions": found.lines}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    _file(found.model, found.precision).write_text(text + "\n", encoding="utf-8")


def differences(kept: Answers, found: Answers) -> Iterator[str]:
    """What is gone (`-`) and what is new (`+`), in the order of the texts."""
    old, new = set(kept.lines), set(found.lines)
    for line in dict.fromkeys((*kept.lines, *found.lines)):
        if (line in old) != (line in new):
            yield f"{'-' if line in old else '+'} {line}"


def _documents(precision: str) -> list[Document]:
    counts = dict(zip(("pubmed26n0001.xml", "cnki_sample.txt"), DOCUMENTS[precision], strict=True))
    return [document for name, count in counts.items() for document in _first_documents(SAMPLES / name, count)]


def _first_documents(file: Path, count: int) -> list[Document]:
    found = (one for one in bioner.read_records(str(file)) if isinstance(one, Document))
    return [document for document, _ in zip(found, range(count), strict=False)]


def _line(mention: Mention) -> str:
    place = f"{mention.doc_id} {mention.passage_index} {mention.start}-{mention.end}"
    verdict = "accepted" if mention.accepted else "turned down"
    return f"{place} {mention.label_set}:{mention.type} {mention.origin or 'decoder'} {verdict} {mention.text}"


def _file(model: str, precision: str) -> Path:
    return KEPT / f"{model}_{precision}.json"


if __name__ == "__main__":
    raise SystemExit(main())
