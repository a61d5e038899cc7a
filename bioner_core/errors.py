"""The one error hierarchy, the exit codes of commands, and parts of sentences: long lists, causes, what to install.

Every error that a user can cause or that an outside fault can cause is a `BionerError` whose message names what was
wrong, the value and what to do. Anything else that escapes is a defect of ours.
"""

from collections.abc import Sequence

EXIT_COMMITTED = 0  # all is done, or there was nothing to do; scripts rely on these numbers
EXIT_FAILED = 1  # something was not done
EXIT_USAGE = 2  # the command line is wrong
EXIT_TOO_MANY_REJECTS = 3  # all is committed, but more was rejected than was allowed
EXIT_INTERRUPTED = 130  # by Ctrl-C, as a shell says it


class BionerError(Exception):
    """Root of all errors that bioner raises on purpose."""


class ConfigurationError(BionerError):
    """A setting is unusable; the message names the field, the value and what to do. Exit code 2."""


class InputError(BionerError):
    """An input file cannot be opened or read at all; the message names the file."""


class MissingInputError(ConfigurationError, InputError):
    """A pattern that the user gave names no file: the command line is wrong, not a dump. Exit code 2."""


class ModelError(BionerError):
    """A model is missing, damaged, or not the one that its digest promises."""


class UnknownModelError(ConfigurationError, ModelError):
    """A name or folder that the user gave is no model: the command line is wrong, not a model. Exit code 2."""


class TaggingError(BionerError):
    """Mentions cannot be rendered as tags, or tagged tokens are not a legal copy of their source."""


class AnnotatorOutOfMemoryError(BionerError):
    """The device ran out of memory on this batch; a smaller batch may fit."""


class StoreError(BionerError):
    """The store is damaged, written by a newer version, or a commit's counts do not add up."""


class ObjectStorageError(StoreError):
    """Object storage does not answer, or refuses: so nothing is known of what is stored, nor that it is damaged."""


class DamagedFileError(StoreError):
    """A file of the store is not what was written, or gone; the message names it and what to do. Never: a newer one."""


class PoolError(BionerError):
    """The annotator actors cannot be started or reached; the message carries the actor's own traceback."""


def listed_names(names: Sequence[str], *, most: int = 5) -> str:
    """A few names and how many more there are, for a sentence."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def cause_of(error: Exception) -> str:
    """Why the system refused, for a message that names the file already: "No such file or directory"."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def install_words(extra: str) -> str:
    """What to type for a package that only some commands need, for a message that names the package.

    No package of bioner is published: `pip install bioner[...]` would find nothing.
    """
    return f"in the checkout, pip install -e '.[{extra}]'"
