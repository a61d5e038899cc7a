"""A corpus of any form made into bioner's own, with a report of all that did not fit.

A label set file can be made with it: a start that a human completes, since no corpus says what its types mean.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError
from bioner_core.gold.forms import read_form
from bioner_core.gold.lines import write_lines
from bioner_core.gold.record import GoldRecord, ImportedRecord, Misfit, MisfitKind
from bioner_core.gold.renaming import check_found, renamed
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.store.atomic import write_text

SHOWN_MISFITS = 20
"""So many misfits of each kind are in the report by name; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What came in and what did not; `misfits` has the first of each kind, `counts` how many there are.

    Types, languages and kinds stand in the order of their counts, the most frequent first.
    """

    records: int
    entities: int
    types: Mapping[str, int]
    languages: Mapping[str, int]
    counts: Mapping[MisfitKind, int]
    misfits: tuple[Misfit, ...]

    def to_json(self) -> dict[str, Any]:
        """The report as one object."""
        return {
            "records": self.records,
            "entities": self.entities,
            "types": dict(self.types),
            "languages": dict(self.languages),
            "misfits": {str(kind): count for kind, count in self.counts.items()},
            "shown_misfits": [{"kind": str(one.kind), "where": one.where, "what": one.what} for one in self.misfits],
        }


@dataclass(slots=True)
class _Tally:
    """What came in so far; `examples` counts the texts of each type."""

    records: int = 0
    entities: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    counts: Counter[MisfitKind] = field(default_factory=Counter)
    misfits: list[Misfit] = field(default_factory=list)
    examples: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, found: ImportedRecord) -> None:
        """Count a record and what did not fit of it."""
        for one in found.misfits:
            self.counts[one.kind] += 1
            if self.counts[one.kind] <= SHOWN_MISFITS:
                self.misfits.append(one)
        if found.record is None:
            return
        self.records += 1
        self.languages[found.record.lang] += 1
        self.entities += len(found.record.spans)
        for span in found.record.spans:
            self.examples.setdefault(span.type, Counter())[found.record.text[span.start : span.end]] += 1

    def report(self) -> ImportReport:
        """The counts as they stand."""
        types = Counter({name: texts.total() for name, texts in self.examples.items()})
        return ImportReport(
            records=self.records,
            entities=self.entities,
            types=dict(types.most_common()),
            languages=dict(self.languages.most_common()),
            counts=dict(self.counts.most_common()),
            misfits=tuple(self.misfits),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportChoices:
    """How a corpus is read: its form (None: told by content), names of types (old: new), and its language.

    With a `label_set`, entities of other types are left out and reported.
    """

    form_name: str | None = None
    new_names: Mapping[str, str] = field(default_factory=dict)
    lang: str = ""
    label_set: str | None = None


def import_corpus(
    path: Path, output: Path, *, choices: ImportChoices | None = None, label_set_output: Path | None = None
) -> ImportReport:
    """Write a corpus of any form as JSON lines, and a label set file made from it where one is wanted.

    The label set file has the name of its file; it is for a human to complete. The output appears whole or not at all.

    Raises:
        ConfigurationError: no such form or label set, no type of a name that is to be replaced, the output is the
            input, or the label set file is there already or cannot be made.
        InputError: the corpus is broken or cannot be read; the message names file and line.
        StoreError: the output cannot be written.
    """
    chosen = choices or ImportChoices()
    known = load_label_set(chosen.label_set) if chosen.label_set else None
    _check_outputs(path, output, label_set_output)
    tally = _Tally()
    seen: set[str] = set()

    def records() -> Iterator[GoldRecord]:
        for found in read_form(path, chosen.form_name):
            fitted = _fitted(found, chosen, known, seen)
            tally.add(fitted)
            if fitted.record is not None:
                yield fitted.record
        check_found(chosen.new_names, seen)

    write_lines(records(), output)
    if label_set_output is not None:
        text = label_set_text(label_set_output.stem, tally.examples, languages=sorted(tally.languages))
        write_text(label_set_output, text)
        load_label_set(str(label_set_output))
    return tally.report()


def _check_outputs(path: Path, output: Path, label_set_output: Path | None) -> None:
    if output.exists() and path.exists() and output.samefile(path):
        raise ConfigurationError(f"--output: {str(output)!r} is the input; name another file")
    if output.is_dir():
        raise ConfigurationError(f"--output: {str(output)!r} is a folder; name a file")
    if label_set_output is None:
        return
    if label_set_output.suffix != ".toml":
        raise ConfigurationError(f"--label-set-output: {str(label_set_output)!r}; name a file that ends in .toml")
    if label_set_output.exists():
        raise ConfigurationError(
            f"--label-set-output: {str(label_set_output)!r} is there already and may have definitions of yours; "
            "name another file, or remove it"
        )


def _fitted(
    found: ImportedRecord, choices: ImportChoices, label_set: LabelSet | None, seen: set[str]
) -> ImportedRecord:
    """The record with the names and the language that are wanted, without types that are not."""
    if found.record is None:
        return found
    seen |= {span.type for span in found.record.spans}
    record = renamed(found.record, choices.new_names)
    unknown = {one for one in record.spans if label_set is not None and one.type not in label_set.type_names}
    misfits = [
        Misfit(
            MisfitKind.UNKNOWN_TYPE,
            f"record {record.record_id}",
            f"{span.start}:{span.end} {span.type} {record.text[span.start : span.end]!r:.40}",
        )
        for span in sorted(unknown)
    ]
    concepts = {span: concept for span, concept in record.concepts.items() if span not in unknown}
    kept = replace(record, spans=record.spans - unknown, concepts=concepts, lang=choices.lang or record.lang)
    return ImportedRecord(kept, (*found.misfits, *misfits))


_FORBIDDEN = "[]:\\"
_EXAMPLES = 5


def label_set_text(name: str, examples: Mapping[str, Mapping[str, int]], *, languages: list[str]) -> str:
    """The TOML of a label set with these types, each with what it was most often said of as a comment.

    Raises:
        ConfigurationError: there is no type, or one has a name that a label set cannot have.
    """
    if not examples:
        raise ConfigurationError("label set: the corpus marks no entity, so there is no type to name")
    unusable = [one for one in examples if not one.isprintable() or any(char in one for char in _FORBIDDEN)]
    if unusable:
        raise ConfigurationError(
            f"label set: types {unusable} hold a bracket, colon, backslash or unprintable character; "
            "give them other names with --map OLD=NEW"
        )
    head = (
        f"name = {_quoted(name)}\n"
        f"languages = {json.dumps(languages)}\n"
        'description = ""\n'
        "# Write definitions: a model reads them. docs/label_sets.md says how, and which tags to share.\n"
    )
    return head + "".join(_type(one, examples[one]) for one in sorted(examples))


def _type(name: str, mentions: Mapping[str, int]) -> str:
    frequent = sorted(mentions, key=lambda one: (-mentions[one], one))[:_EXAMPLES]
    said = "; ".join(" ".join(one.split())[:60] for one in frequent)
    said = "".join(char if char.isprintable() else "?" for char in said)
    return f"\n[[types]]\nname = {_quoted(name)}\n# {said}\ndefinition_en = {_quoted(name)}\n"


def _quoted(text: str) -> str:
    """A TOML string: that of JSON, for printable text."""
    return json.dumps(text, ensure_ascii=False)
