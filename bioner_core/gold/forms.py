"""The forms of gold that are read, and how one is told from another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from bioner_core.errors import ConfigurationError, InputError, MissingInputError
from bioner_core.gold.bioc import BIOC, PUBTATOR
from bioner_core.gold.brat import BratForm
from bioner_core.gold.conll import ConllForm
from bioner_core.gold.files import head_of
from bioner_core.gold.json_lines import DoccanoForm, ExportedLinesForm
from bioner_core.gold.label_studio import LabelStudioForm
from bioner_core.gold.lines import read_lines
from bioner_core.gold.placing import crossings
from bioner_core.gold.record import GoldRecord, ImportedRecord


class GoldForm(Protocol):
    """A form of gold corpora."""

    name: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a folder, or a file that begins with `head`, is of this form."""
        ...

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """The records in file order, each with what did not fit.

        Raises:
            InputError: the file is broken or cannot be read; the message names file and line.
        """
        ...


_FORMS: tuple[GoldForm, ...] = (
    BratForm(),
    ExportedLinesForm(),
    PUBTATOR,
    LabelStudioForm(),
    BIOC,
    DoccanoForm(),
    ConllForm(),
)

FORMS: dict[str, GoldForm] = {one.name: one for one in _FORMS}
"""By name, in the order in which they are tried: `jsonl` is what `bioner export` writes."""


def form_of(path: Path) -> GoldForm | None:
    """The form of a file or folder by its content; None for bioner's own corpora, and for what is none of them.

    Raises:
        InputError: the file cannot be read.
    """
    head = b"" if path.is_dir() else head_of(path)
    return next((one for one in _FORMS if one.recognises(path, head)), None)


def read_form(path: Path, form_name: str | None = None) -> Iterator[ImportedRecord]:
    """The records of a corpus in any form, told by its content unless it is named.

    Raises:
        ConfigurationError: there is no form of that name.
        MissingInputError: there is no such file or folder.
        InputError: the corpus is broken or cannot be read; the message names file and line.
    """
    if form_name is not None and form_name not in FORMS:
        raise ConfigurationError(f"--from: {form_name!r} is not one of {', '.join(FORMS)}")
    if not path.exists():  # brat takes a name for the .txt and .ann beside it, and would find an empty corpus
        raise MissingInputError(f"{path}: there is no such file or folder")
    form = FORMS[form_name] if form_name is not None else form_of(path)
    if form is not None:
        yield from form.read(path)
    else:
        yield from (ImportedRecord(one, tuple(crossings(one, {}))) for one in read_lines(path))


def read_gold(path: Path) -> Iterator[GoldRecord]:
    """The records of a corpus in any form, told by its content, whose entities all fit.

    Raises:
        InputError: the corpus is broken or cannot be read, or an entity or a text of it does not fit: what is scored
            or trained on must be what humans marked.
    """
    for found in read_form(path):
        if found.losses:
            one = found.losses[0]
            raise InputError(
                f"{one.where}: {one.kind}: {one.what}. `bioner import {path} --output corpus.jsonl` says all that does "
                "not fit and writes the rest, which can be used instead"
            )
        if found.record is not None:
            yield found.record
