"""Naming inputs: what is a URL, how a file may be named in public, and which files are below a folder."""

import os
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bioner_core.errors import InputError, cause_of

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BUCKET_CREDENTIALS = re.compile(r"^(s3[a-z]?://)[^/@:]+:.+@")
COMPANIONS = (".md5",)
"""Suffixes of files that say something of another file."""

_HIDDEN = "..."
"""What stands in a public name where the path of a URL holds a secret."""
_MARKS = "access[-_]?key|access[-_]?token|api[-_]?key|auth|credentials?|jwt|key|password|sas|secret|sig|signature|token"
_NAMED_SECRET = re.compile(rf"(?:x-amz-)?(?:{_MARKS})([=:].+)?", re.IGNORECASE)
"""A folder that holds a secret behind its name, or says that the next one is one."""
_TOKEN = re.compile(r"[A-Za-z0-9_~+=-]{20,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+")
_TURN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_TURNS = 4
"""How often letters and digits must take turns in a folder that nobody typed; in names with years they do so twice."""
_PARAMETERS = re.compile(r";|%3[BF]|%23|\?", re.IGNORECASE)
"""Where the parameters of a segment begin, also as they stand in a URL that was quoted twice."""


def is_url(name: str) -> bool:
    """Whether a name is a URL and not a local path."""
    return _URL.match(name) is not None


def public_name(input_file: str) -> str:
    """The name of an input for logs, rejects and stored metadata.

    Credentials, query and fragment of a URL are left out, and so are the parameters of its path (`;sig=...`); folders
    of its path that are secrets (`/token/...`, or a long mixture of letters and digits) are hidden. The file's own name
    stays. Bytes of a local name that are not text are replaced.
    """
    if not is_url(input_file):
        return os.fsencode(input_file).decode(errors="replace")
    try:
        parts = urlsplit(_BUCKET_CREDENTIALS.sub(r"\1", input_file))
    except ValueError:  # as [ without ] in a host: nothing of it can be told from a secret
        return f"{input_file.partition('://')[0]}://{_HIDDEN}"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, _public_path(parts.path), "", ""))


_SYSTEMS_OWN = "lost+found"
"""What a disk has at its root for its own repairs; only the system may look into it."""


def files_below(folder: str) -> list[str]:
    """All files below a folder of this machine, those behind symbolic links too; what is hidden is left out.

    A folder that several links name is entered once, under its own name where that is below `folder` too. A link to a
    file that is not there counts as a file: who opens it says so.

    Raises:
        InputError: a folder cannot be listed: what it holds would be missing without a word.
    """
    found: list[str] = []
    # A link to a folder that holds this one leads round in a circle.
    seen = {_place(one) for one in Path(folder).resolve().parents}
    todo, linked = deque([folder]), deque[str]()
    while todo or linked:
        here = (todo or linked).popleft()
        try:
            place = _place(here)
            entries = [] if place in seen else sorted(os.scandir(here), key=lambda one: one.name)
        except OSError as error:
            raise InputError(f"{here}: cannot be listed ({cause_of(error)}); what it holds would be missing") from error
        seen.add(place)
        for entry in entries:
            if entry.name.startswith(".") or entry.name == _SYSTEMS_OWN:
                continue
            if entry.is_dir():
                (linked if entry.is_symlink() else todo).append(entry.path)
            elif entry.is_file() or not os.path.exists(entry.path):
                found.append(entry.path)
    return found


def _place(folder: str | Path) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino


_STORE_LOCK = re.compile(r"(.*/|)locks/(?:store|part-\d+-of-\d+)(?:-\d+)?\.json")
"""The lock of a job on a store, on this machine and on object storage; what is before it is the store's folder."""


def outside_stores(names: Sequence[str]) -> list[str]:
    """Those of the paths below one place that lie in no store of bioner: what a store holds is output.

    A store is known by its folders `manifests` and `plans`, which it has from its first shard on and wherever it is
    copied, or by a job's lock: a job that was interrupted before its first shard leaves no more than that.
    """
    folders = {name.rpartition("/")[0] for name in names}
    stores = tuple(
        {
            root
            for folder in folders
            if folder.rpartition("/")[2] == "manifests"
            and (root := folder.removesuffix("manifests")) + "plans" in folders
        }
        | {found[1] for name in names if (found := _STORE_LOCK.fullmatch(name))}
    )
    return [name for name in names if not name.startswith(stores)] if stores else list(names)


def _public_path(path: str) -> str:
    *folders, name = (_PARAMETERS.split(one, maxsplit=1)[0] for one in path.split("/"))
    shown: list[str] = []
    follows = False
    for one in folders:
        named = _NAMED_SECRET.fullmatch(one)
        secret = follows or (named is not None and named[1]) or _is_token(one)
        shown.append(_HIDDEN if secret and one else one)
        follows = named is not None and not named[1]
    return "/".join([*shown, name])


def _is_token(folder: str) -> bool:
    return _TOKEN.fullmatch(folder) is not None and (folder.startswith("eyJ") or len(_TURN.findall(folder)) >= _TURNS)
