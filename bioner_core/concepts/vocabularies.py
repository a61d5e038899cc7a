"""The vocabularies of this user: folders in the cache by name, or anywhere by path."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from bioner_core.concepts.concept import Concept
from bioner_core.concepts.index import ABOUT_FILE, SourceFile, VocabularyPage, build_index, read_page
from bioner_core.concepts.readers.registry import form_of, read_concepts
from bioner_core.concepts.vocabulary import Vocabulary, open_vocabulary
from bioner_core.errors import ConfigurationError, InputError, MissingInputError, cause_of
from bioner_core.file_digest import sha256_of_file
from bioner_core.models.base_model import cache_folder


def vocabularies_folder() -> Path:
    """Where vocabularies are kept that are known by name."""
    return cache_folder() / "vocabularies"


def vocabulary_folder(name_or_path: str) -> Path:
    """The folder of a vocabulary: by name in the cache, else by path.

    Raises:
        ConfigurationError: there is none; the message says what there is.
    """
    for folder in (vocabularies_folder() / name_or_path, Path(name_or_path)):
        if (folder / ABOUT_FILE).is_file():
            return folder
    known = ", ".join(page.name for page in known_vocabularies(on_fault=lambda _: None)) or "none"
    raise ConfigurationError(
        f"vocabulary {name_or_path!r} is not there (known: {known}); "
        "`bioner vocabulary pull` fetches one, `bioner vocabulary build` makes one"
    )


def known_vocabularies(*, on_fault: Callable[[ConfigurationError], None] | None = None) -> Iterator[VocabularyPage]:
    """The pages of all vocabularies that are known by name.

    With `on_fault`, which is told of each that is damaged or of another version, the others are given all the same.

    Raises:
        ConfigurationError: one of them is damaged or of another version, and there is no `on_fault`.
    """
    for path in sorted(vocabularies_folder().glob(f"[!.]*/{ABOUT_FILE}")):
        try:
            page = read_page(path.parent)
        except ConfigurationError as error:
            if on_fault is None:
                raise
            on_fault(error)
        else:
            yield page


def open_vocabularies(names_or_paths: Sequence[str]) -> list[Vocabulary]:
    """Open vocabularies, in their order.

    Raises:
        ConfigurationError: one is missing or damaged, or two have one name.
    """
    opened = [open_vocabulary(vocabulary_folder(one)) for one in names_or_paths]
    names = [one.page.name for one in opened]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"--vocabulary: {', '.join(names)}: two of one name cannot be told apart in the links")
    return opened


def build_vocabulary(
    files: Sequence[Path],
    name: str,
    *,
    form: str | None = None,
    prefix: str = "",
    version: str = "",
    licence: str = "",
    replace: bool = False,
) -> VocabularyPage:
    """Make a vocabulary of files and keep it under a name. Without `version` it is that of the files' digest alone.

    One that was made alike is given as it is. With `replace` what is there is not looked at.

    Raises:
        ConfigurationError: the name is taken by a vocabulary of other files, read in another way, or of another version
            or licence; or it is unusable.
        InputError: a file cannot be read, or a concept in it is unsound; the message names file and line.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise ConfigurationError(f"--name: {name!r} cannot be the name of a folder")
    folder = vocabularies_folder() / name
    sources = tuple(SourceFile(path.name, _digest(path)) for path in files)
    forms = dict.fromkeys(form_of(path, named=form) for path in files)
    page = VocabularyPage(
        name, version or "unversioned", licence or "not stated", sources, form=",".join(forms), prefix=prefix
    )
    concepts = chain.from_iterable(read_concepts(path, form=form, prefix=prefix) for path in files)
    if folder.exists() and not replace:
        return _as_made_before(folder, page)
    return replace_index(folder, concepts, page=page)


def _as_made_before(folder: Path, page: VocabularyPage) -> VocabularyPage:
    known = read_page(folder)
    others = [
        f"its {word} {'are others' if word == 'files' else f'was {before!r}, not {now!r}'}"
        for word, before, now in (
            ("files", known.sources, page.sources),
            ("version", known.version, page.version),
            ("format", known.form, page.form),
            ("prefix", known.prefix, page.prefix),
            ("licence", known.licence, page.licence),
        )
        if before not in (None, now)
    ]
    if others:
        raise ConfigurationError(
            f"vocabulary {page.name!r} is there already (version {known.exact_version}), and {', '.join(others)}; "
            "links name it by this version. Give another --name, or --replace"
        )
    return known


def replace_index(folder: Path, concepts: Iterator[Concept], *, page: VocabularyPage) -> VocabularyPage:
    """`build_index`, in the place of whatever is there; that stays until the new one is whole.

    Raises:
        InputError: there is no concept.
        ConfigurationError: the folder cannot be written.
    """
    if not folder.exists():
        return build_index(folder, concepts, page=page)
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    made = build_index(fresh, concepts, page=page)
    shutil.rmtree(folder)
    fresh.rename(folder)
    return made


def _digest(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        kind = MissingInputError if isinstance(error, FileNotFoundError) else InputError
        raise kind(f"{path}: cannot be read ({cause_of(error)})") from error
