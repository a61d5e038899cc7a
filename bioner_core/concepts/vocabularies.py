"""The vocabularies of this user: folders in the cache by name, or anywhere by path."""

import shutil
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from bioner_core.concepts.concept import Concept
from bioner_core.concepts.index import ABOUT_FILE, SourceFile, VocabularyPage, build_index, read_page
from bioner_core.concepts.readers.registry import read_concepts
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
    known = ", ".join(page.name for page in known_vocabularies()) or "none"
    raise ConfigurationError(
        f"vocabulary {name_or_path!r} is not there (known: {known}); "
        "`bioner vocabulary pull` fetches one, `bioner vocabulary build` makes one"
    )


def known_vocabularies() -> Iterator[VocabularyPage]:
    """The pages of all vocabularies that are known by name.

    Raises:
        ConfigurationError: one of them is damaged.
    """
    for path in sorted(vocabularies_folder().glob(f"[!.]*/{ABOUT_FILE}")):
        yield read_page(path.parent)


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

    Raises:
        ConfigurationError: the name is taken by a vocabulary of other content, or is unusable.
        InputError: a file cannot be read, or a concept in it is unsound; the message names file and line.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise ConfigurationError(f"--name: {name!r} cannot be the name of a folder")
    folder = vocabularies_folder() / name
    sources = tuple(SourceFile(path.name, _digest(path)) for path in files)
    page = VocabularyPage(name, version or "unversioned", licence or "not stated", sources)
    concepts = chain.from_iterable(read_concepts(path, form=form, prefix=prefix) for path in files)
    return _built(folder, concepts, page, replaces=replace)


def _built(folder: Path, concepts: Iterator[Concept], page: VocabularyPage, *, replaces: bool) -> VocabularyPage:
    if not folder.exists():
        return build_index(folder, concepts, page=page)
    known = read_page(folder)
    if not replaces:
        if known.sources == page.sources and known.version == page.version:
            return known
        raise ConfigurationError(
            f"vocabulary {page.name!r} is there already, made of other files (version {known.exact_version}); "
            "links name it by this version. Give another --name, or --replace"
        )
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
