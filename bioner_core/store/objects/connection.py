"""The connection to object storage: made of the environment, asked again when it fails, silent about secrets."""

import configparser
import os
import random
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from bioner_core.errors import ConfigurationError, ObjectStorageError, install_words
from bioner_core.formats.buckets import cause_in_words, status_of

PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between two tries of a request, half or half more of each by chance: eight tries in about 13 s."""
_TIMEOUTS = {"connect_timeout": "10s", "timeout": "300s"}
"""A request ends within five minutes, a file of 256 MB on a slow line too, and long before a lease of 15 minutes."""
_PASSING = frozenset({"408", "409", "412", "429"})
"""Answers of the kind 4xx after which the same request may succeed: too slow, in conflict with another, too many."""

Answer = TypeVar("Answer")

_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_")
"""What the names of settings in the environment begin with."""


_KEYS = ("access_key_id", "secret_access_key", "session_token")
_NAMES = {f"aws_{key}": key for key in _KEYS} | {"region": "region", "endpoint_url": "endpoint"}
"""What the files call it, and what obstore does."""

_ROLES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


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


def file_credentials(environment: Mapping[str, str]) -> dict[str, Any]:
    """Options for obstore from the profile (`AWS_PROFILE`, else `default`) of `~/.aws/credentials` and `~/.aws/config`.

    What the environment says is left to it; with keys or a role in the environment no key is read. Roles of a cluster
    (`AWS_WEB_IDENTITY_TOKEN_FILE`, containers, instance metadata) are known to obstore itself.
    """
    profile = environment.get("AWS_PROFILE", "default")
    files = (
        (environment.get("AWS_CONFIG_FILE", "~/.aws/config"), (f"profile {profile}", profile)),
        (environment.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"), (profile,)),
    )
    found: dict[str, str] = {}
    for file, sections in files:
        for section in sections:
            found |= _section(Path(file).expanduser(), section)
    has_keys = "AWS_ACCESS_KEY_ID" in environment or any(one in environment for one in _ROLES)
    return {name: value for name, value in found.items() if not _is_given(name, environment, has_keys=has_keys)}


def _section(file: Path, section: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):  # no file, or none that its own tools could read
        return {}
    values = dict(parser.items(section)) if parser.has_section(section) else {}
    return {_NAMES[name]: value for name, value in values.items() if name in _NAMES}


def _is_given(name: str, environment: Mapping[str, str], *, has_keys: bool) -> bool:
    if name in _KEYS:
        return has_keys
    if name == "region":
        return "AWS_REGION" in environment or "AWS_DEFAULT_REGION" in environment
    return any(one in environment for one in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"))


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
