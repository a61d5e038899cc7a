"""The connection to object storage: made of the environment, asked again when it fails, silent about secrets."""

import os
import random
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from bioner_core.errors import ConfigurationError, ObjectStorageError, install_words
from bioner_core.formats.buckets import cause_in_words, status_of
from bioner_core.store.objects.credentials import file_credentials

PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between two tries of a request, half or half more of each by chance: eight tries in about 13 s."""
_TIMEOUTS = {"connect_timeout": "10s", "timeout": "300s"}
"""A request ends within five minutes, a file of 256 MB on a slow line too, and long before a lease of 15 minutes."""
_PASSING = frozenset({"408", "409", "412", "429"})
"""Answers of the kind 4xx after which the same request may succeed: too slow, in conflict with another, too many."""

Answer = TypeVar("Answer")

_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_")
"""What the names of settings in the environment begin with."""


def client(bucket: str) -> Any:
    """What asks the service for the objects of a bucket, given as URL; made once in a process for an environment.

    Raises:
        ConfigurationError: obstore is not installed, or the environment cannot be understood.
    """
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(_SETTINGS)))
    return _client(bucket, settings)


@lru_cache(maxsize=16)
def _client(bucket: str, settings: tuple[tuple[str, str], ...]) -> Any:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise ConfigurationError(f"{bucket}: object storage needs obstore: {install_words('buckets')}") from None
    told = dict(settings)
    options = _TIMEOUTS | {"allow_http": told.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes")}
    more = file_credentials(told) if bucket.startswith("s3:") else {}
    try:
        return from_url(bucket, client_options=options, retry_config={"max_retries": 0}, **more)
    except (BaseError, ValueError, TypeError):  # its text may repeat what the environment says
        raise ConfigurationError(
            f"{bucket}: cannot be asked with these settings; check the bucket's name and AWS_*, GOOGLE_* or AZURE_*"
        ) from None


def asked(bucket: str, question: Callable[[Any], Answer]) -> Answer:
    """The answer to a question to a bucket's client, asked again after a pause where that may help.

    Raises:
        FileNotFoundError: what was asked for is not there.
        ObjectStorageError: the service does not answer, or refuses.
    """
    store = client(bucket)
    from obstore.exceptions import BaseError

    for pause in (*PAUSES, None):
        try:
            return question(store)
        except (BaseError, OSError) as error:
            if not is_passing(error):
                raise told_error(bucket, error) from None
            wait_or_raise(bucket, pause, error=error)
    raise AssertionError("the last pause raises")


def wait_or_raise(bucket: str, pause: float | None, *, error: Exception) -> None:
    """Wait before the next try, or, after the last one (None), say what was wrong.

    Raises:
        ObjectStorageError: it was the last try.
    """
    if pause is None:
        raise told_error(bucket, error) from None
    time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def is_passing(error: Exception) -> bool:
    """Whether the same request may succeed after a pause."""
    from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError

    if not isinstance(error, AlreadyExistsError | GenericError | PreconditionError):
        return False
    status = status_of(error)
    return not status.startswith("4") or status in _PASSING


def told_error(bucket: str, error: Exception, *, putting: bool = False) -> Exception:
    """An error of obstore in words of our own; one that is not of the service as it is.

    What is not there is a bucket while something is put, else an object.
    """
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    if isinstance(error, FileNotFoundError) and not putting:
        return FileNotFoundError("is not there")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        words: str | None = "may not be used with the credentials of the environment (AWS_*, GOOGLE_*, AZURE_*)"
    else:
        words = "the bucket is not there" if putting and isinstance(error, FileNotFoundError) else cause_in_words(error)
    if words is None:
        return error
    return ObjectStorageError(f"{bucket}: {words}. What is committed stays; run the same command again")
