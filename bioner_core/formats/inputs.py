"""Naming inputs: what is a URL, and how a file may be named in public."""

import os
import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BUCKET_CREDENTIALS = re.compile(r"^(s3[a-z]?://)[^/@:]+:.+@")
COMPANIONS = (".md5",)
"""Suffixes of files that say something of another file."""


def is_url(name: str) -> bool:
    """Whether a name is a URL and not a local path."""
    return _URL.match(name) is not None


def public_name(input_file: str) -> str:
    """The name of an input for logs, rejects and stored metadata.

    Credentials, query and fragment of a URL are left out; bytes of a local name that are not text are replaced.
    """
    if not is_url(input_file):
        return os.fsencode(input_file).decode(errors="replace")
    parts = urlsplit(_BUCKET_CREDENTIALS.sub(r"\1", input_file))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
