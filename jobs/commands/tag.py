"""`bioner tag`: the entities of a text, at once, without a store."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import bioner
from bioner_core.documents import Document, Passage
from bioner_core.errors import ConfigurationError, InputError, cause_of
from bioner_core.labels.label_set import LANGUAGES
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.viewer.page import render_page
from jobs.options.annotation import DocumentPass, LabelSets, Model
from jobs.options.common import Json, Precision
from jobs.runs.annotator import AnnotatorChoice, chosen_label_sets
from jobs.runs.local_files import STANDARD_INPUT
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers
from jobs.terminal.document_view import print_document
from jobs.terminal.mention_table import as_object

HELP = """
Tag a text: nested mentions as coloured lines below it. Sentences are cut, and the language is told from the script.

\b
Examples:
  bioner tag "The CD28 receptor is expressed on T cells."
  bioner tag abstract.txt --label-set bc5cdr --json
  pbpaste | bioner tag - --html tagged.html
"""

LONGEST_TEXT = 10_000_000
"""Characters of one text, at most; `bioner annotate` takes more."""

Texts = Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts, or text files; - reads standard input.")]
Lang = Annotated[str | None, typer.Option(help="en or zh. Default: told from the script of each text.")]
Html = Annotated[
    Path | None, typer.Option("--html", help="Write one self-contained HTML file instead.", dir_okay=False)
]
Rejected = Annotated[bool, typer.Option("--rejected", help="In the terminal, also what the selector turned down.")]


def tag(
    texts: Texts,
    label_set: LabelSets = None,
    model: Model = "default",
    lang: Lang = None,
    precision: Precision = "auto",
    document_pass: DocumentPass = True,
    html: Html = None,
    rejected: Rejected = False,
    as_json: Json = False,
) -> int:
    """Tag texts; returns the exit code."""
    if lang not in (None, *LANGUAGES):
        raise ConfigurationError(f"--lang: {lang!r}; choose en or zh")
    if html is not None and len(texts) > 1:
        raise ConfigurationError("--html: a page shows one text; give one")
    read = [read_text(one) for one in texts]
    with only_results_on_stdout():
        tagger = _tagger(label_set or [], model=model, precision=precision, document_pass=document_pass)
        found = [
            DocumentMentions(_document(number, one, lang), one.candidates)
            for number, one in enumerate(tagger.tag_all(read, lang=lang), start=1)
        ]
        if html is not None:
            write_text(html, render_page(found[0], origin=f"bioner tag, model {model}"))

    def show() -> None:
        if html is not None:
            print(f"{html}: {spoken_count(sum(one.accepted for one in found[0].mentions), 'mention')}")
        else:
            for one in found:
                print_document(one, rejected=rejected)

    print_result({"texts": [as_object(one) for one in found]}, as_json=as_json, show=show)
    return 0


def read_text(word: str) -> str:
    """What a word on the command line stands for: standard input, the content of a text file, or itself.

    Raises:
        InputError: the file cannot be read, or is no text in UTF-8, or is too long.
    """
    if word == STANDARD_INPUT:
        return _checked(sys.stdin.buffer.read(4 * LONGEST_TEXT + 1), "standard input")
    path = Path(word)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # a sentence may be too long for a path, or hold what no path can
        is_file = False
    if not is_file:
        return word
    try:
        with path.open("rb") as file:
            return _checked(file.read(4 * LONGEST_TEXT + 1), word)
    except OSError as error:
        raise InputError(f"{word}: cannot be read: {cause_of(error)}") from error


def _checked(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: no text in UTF-8 ({error}); `bioner annotate` reads dumps and exports") from error
    if len(text) > LONGEST_TEXT:
        raise InputError(f"{name}: longer than {LONGEST_TEXT} characters; `bioner annotate` takes long texts")
    return text


def _tagger(label_sets: list[str], *, model: str, precision: str, document_pass: bool) -> bioner.Model:
    chosen = chosen_label_sets(label_sets, model=model)
    AnnotatorChoice(label_sets=chosen, model=model, precision=precision).check_ready()
    quiet_transformers()
    return bioner.load_model(model, label_sets=chosen, precision=precision, document_pass=document_pass)


def _document(number: int, found: bioner.TaggedText, lang: str | None) -> Document:
    told = lang or bioner.language_of(found.text)
    return Document(f"text:{number}", "text", 1, told, (Passage("text", "", told, found.text),))
