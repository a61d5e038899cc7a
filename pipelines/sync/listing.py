"""What lies in a place: a local folder, an index page over HTTP, a bucket, or whatever else fsspec opens (FTP, ...)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import fsspec

from bioner_core.errors import InputError, listed_names
from bioner_core.formats.buckets import file_system, is_bucket, told_bucket_errors
from bioner_core.formats.inputs import files_below, is_url, outside_stores, public_name
from bioner_core.formats.redirects import same_server
from pipelines.sync.http import body_chunks, cause_of, http_get
from pipelines.sync.retry import PassingFault, RetryPolicy, with_retries

MAX_INDEX_BYTES = 64 * 1024 * 1024
"""The most that an index page may be; 40,000 files take about 5 MB."""

_TIMES = ("LastModified", "mtime", "updated", "last_modified", "modify", "created")
"""Under which names the file systems of fsspec tell a time."""

_SUBFOLDER = re.compile(r"[^/?#:]+/")
_SAFE_NAME = re.compile(r"[^\x00-\x1f/\\]{1,200}")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file in a place. `location` is its path or URL; `folder` the name of the folder that lists it.

    `stamp` is what the listing says of size and date: when it changes, the file may have changed. `bytes` is None where
    the listing does not tell the exact size; `modified` is in seconds since 1970, 0 where it is not told.
    """

    name: str
    location: str
    folder: str
    stamp: str
    bytes: int | None
    modified: float = 0.0

    @property
    def remote(self) -> bool:
        """Whether it must be downloaded before it can be read again and again."""
        return is_url(self.location)


def list_place(place: str, policy: RetryPolicy) -> list[ListedFile]:
    """The files of a place, by name: an index page's own, and all below a folder or a prefix.

    Hidden files are left out, and those of a store that lies there; symbolic links are followed.

    Raises:
        InputError: the place is not there, cannot be read, or does not answer for too long.
    """
    if not is_url(place):
        found = _local_files(Path(place))
    elif _scheme(place) in ("http", "https"):
        found = with_retries(lambda: _http_files(place.rstrip("/") + "/", policy), policy, progress=lambda: 0)
    elif is_bucket(place):
        found = _bucket_listing(place)
    else:
        found = with_retries(lambda: _fsspec_files(place), policy, progress=lambda: 0)
    kept = set(outside_stores([one.location for one in found]))
    return sorted(
        (one for one in found if one.location in kept and not one.name.startswith(".")), key=lambda one: one.name
    )


def _scheme(place: str) -> str:
    try:
        return urlsplit(place).scheme
    except ValueError:
        raise InputError(f"{public_name(place)}: is an address that cannot be read; check its brackets") from None


def _local_files(folder: Path) -> list[ListedFile]:
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder that can be listed; check the path")
    return [_local_file(Path(name)) for name in files_below(str(folder))]


def _local_file(path: Path) -> ListedFile:
    try:
        facts = path.stat()
    except OSError:  # whoever opens it says what is wrong, as with a link to a file that is not there
        return ListedFile(path.name, str(path), path.parent.name, "", None)
    stamp = f"{facts.st_size} {facts.st_mtime_ns}"
    return ListedFile(path.name, str(path), path.parent.name, stamp, facts.st_size, facts.st_mtime)


def _http_files(base: str, policy: RetryPolicy) -> list[ListedFile]:
    with http_get(base, policy) as response:
        page = bytearray()
        for chunk in body_chunks(response, 64 * 1024):
            page += chunk
            if len(page) > MAX_INDEX_BYTES:
                raise InputError(f"{public_name(base)}: the index page has more than {MAX_INDEX_BYTES} bytes")
        encoding, url = response.encoding or "utf-8", response.url
    index = _IndexPage()
    index.feed(page.decode(encoding, "replace"))
    index.close()
    if not same_server(base, url):
        # A listing names what is fetched next, night after night: who answers for one address may not move it all.
        raise InputError(
            f"{public_name(base)}: the index page has moved to {public_name(url)}. If that is right, give that address"
        )
    found = list(_linked_files(url, index.links))
    folders = [] if found else _linked_folders(url, index.links)
    if folders:
        raise InputError(
            f"{public_name(base)}: the index page lists folders and no file ({listed_names(folders)}), and index pages "
            "are not searched below: give the folders themselves, each with --from"
        )
    return found


def _linked_files(base: str, links: list[tuple[str, str]]) -> Iterator[ListedFile]:
    """The links that stay in the folder; sorting links, parents, subfolders and other hosts are passed over."""
    folder = unquote(urlsplit(base).path.rstrip("/").rpartition("/")[2])
    seen: set[str] = set()
    for href, beside in links:
        try:
            target = urljoin(base, href)
            inside = urlsplit(target)._replace(query="", fragment="").geturl() == target
        except ValueError:
            continue
        name = unquote(target.removeprefix(base))
        if inside and target.startswith(base) and _SAFE_NAME.fullmatch(name) and name not in seen | {".", ".."}:
            seen.add(name)
            yield ListedFile(name, target, folder, " ".join(beside.split()), None)


def _linked_folders(base: str, links: list[tuple[str, str]]) -> list[str]:
    """The names of the folders just below, each with its slash."""
    names = (href.removeprefix(base).removeprefix("./") for href, _ in links)
    return sorted({unquote(name) for name in names if _SUBFOLDER.fullmatch(name) and name != "../"})


class _IndexPage(HTMLParser):
    """Collects each link of a page with the text between it and the next one: the date and size of most servers."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A link opens."""
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            self.links.append((href, ""))
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """A link closes: what follows stands beside it."""
        self._inside = self._inside and tag != "a"

    def handle_data(self, data: str) -> None:
        """Text beside the last link."""
        if self.links and not self._inside:
            href, beside = self.links[-1]
            self.links[-1] = (href, beside + data)


def _fsspec_files(place: str) -> list[ListedFile]:
    try:
        files, path = fsspec.core.url_to_fs(place)
        files.invalidate_cache()
        if not files.exists(path):
            raise InputError(f"{public_name(place)}: is not there; check the address")
        entries: dict[str, dict[str, Any]] = files.find(path, detail=True)
        return [_fsspec_file(files, entry) for entry in entries.values()]
    except PermissionError:
        raise InputError(f"{public_name(place)}: may not be listed; check your access to it") from None
    except (ValueError, ImportError) as error:
        raise InputError(f"{public_name(place)}: this kind of place needs another package: {error}") from None
    except OSError as error:
        raise PassingFault(f"{public_name(place)}: cannot be listed: {cause_of(error).words}") from None


def _bucket_listing(place: str) -> list[ListedFile]:
    """As `_fsspec_files`; what a service answers is told once, since obstore has asked several times by then."""
    files, path = file_system(place)
    with told_bucket_errors(place):
        if not files.exists(path):
            raise InputError(f"{public_name(place)}: is not there; check the address")
        return [_fsspec_file(files, entry) for entry in files.find(path, detail=True).values()]


def _fsspec_file(files: Any, entry: dict[str, Any]) -> ListedFile:
    folder, _, name = str(entry["name"]).rpartition("/")
    marks = [entry.get(key) for key in ("size", "ETag", "etag", "e_tag", *_TIMES)]
    return ListedFile(
        name=name,
        location=files.unstrip_protocol(entry["name"]),
        folder=folder.rpartition("/")[2],
        stamp=" ".join(str(mark) for mark in marks if mark is not None),
        bytes=entry.get("size"),
        modified=max((one.timestamp() for key in _TIMES if isinstance(one := entry.get(key), datetime)), default=0.0),
    )
