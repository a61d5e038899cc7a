"""Credentials for S3 from the files that its own tools read, where the environment gives none.

Roles of a cluster (`AWS_WEB_IDENTITY_TOKEN_FILE`, containers, instance metadata) are known to obstore itself.
"""

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_KEYS = ("access_key_id", "secret_access_key", "session_token")
_NAMES = {f"aws_{key}": key for key in _KEYS} | {"region": "region", "endpoint_url": "endpoint"}
"""What the files call it, and what obstore does."""

_ROLES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def file_credentials(environment: Mapping[str, str]) -> dict[str, Any]:
    """Options for obstore from the profile (`AWS_PROFILE`, else `default`) of `~/.aws/credentials` and `~/.aws/config`.

    What the environment says is left to it; with keys or a role in the environment no key is read.
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
