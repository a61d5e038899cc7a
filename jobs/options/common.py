"""Options that several verbs have, so that they are named and explained alike, and groups of options.

A group is a frozen dataclass whose fields are options, given to every verb that names it.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeGuard, get_origin

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath


def takes_option_groups(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command with dataclasses among its parameters be called with their fields as options of its own.

    A field may be such a dataclass again; one that is not annotated as an option keeps its default. The options stand
    where the group stands, those that must be given before all others; their defaults are those of the fields.

    Raises:
        ValueError: two options have one name.
    """

    @functools.wraps(command)
    def called(**given: Any) -> int:
        return command(**_gathered(inspect.signature(command), given))

    parameters = sorted(_options(inspect.signature(command)), key=lambda one: one.default is not one.empty)
    called.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    return called


def _options(signature: inspect.Signature) -> Iterator[inspect.Parameter]:
    for one in signature.parameters.values():
        if _is_group(one.annotation):
            yield from _options(_fields(one.annotation))
        else:
            yield one.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _gathered(signature: inspect.Signature, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _made(one.annotation, given) if _is_group(one.annotation) else given[name]
        for name, one in signature.parameters.items()
    }


def _made(group: type[Any], given: Mapping[str, Any]) -> object:
    return group(**_gathered(_fields(group), given))


def _fields(group: type[Any]) -> inspect.Signature:
    """The fields of a group that are options, or groups again."""
    every = inspect.signature(group).parameters.values()
    taken = [one for one in every if _is_group(one.annotation) or get_origin(one.annotation) is Annotated]
    return inspect.Signature(taken)


def _is_group(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type) and is_dataclass(annotation)


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def store_at(typed: str) -> Store:
    """The store in a folder or on object storage as it was typed, unless no store can be there.

    Raises:
        typer.BadParameter: it is another kind of URL, or a file, or has a sign that queries take for a pattern.
    """
    if _URL.match(typed):
        return Store(_object_place(typed))
    folder = Path(typed)
    if folder.is_file():
        raise typer.BadParameter(f"{typed!r} is a file; name a folder")
    if any(sign in str(folder.absolute()) for sign in "*?["):
        raise typer.BadParameter(
            f"{typed!r} holds one of * ? [, which `compact` and `query` take for a pattern; use another folder"
        )
    return Store(folder)


def _object_place(url: str) -> ObjectPath:
    try:
        place = ObjectPath.of(url)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if any(sign in url for sign in "*?["):
        raise typer.BadParameter(f"{place} holds one of * ? [, which `query` takes for a pattern; use another folder")
    return place


StoreOption = Annotated[
    Store,
    typer.Option(
        "--store",
        help="Folder, or s3://BUCKET/FOLDER.",
        show_default=False,
        parser=store_at,
        metavar="<dir>",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
OfModel = Annotated[
    str | None,
    typer.Option(
        "--model", help="Only documents that this model annotated: the first digits of its fingerprint, or its name."
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        help="How the model computes: bfloat16, float32, int8 (no GPU; faster, other mentions now and then), or auto: "
        "what this processor or GPU is fast in."
    ),
]
NoSelector = Annotated[bool, typer.Option("--no-selector", help="Accept every candidate; do not ask the selector.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for another job on the store. Default: do not wait.", min=0)]


def new_type_names(pairs: Sequence[str]) -> dict[str, str]:
    """New names of types by their old ones, as `--map OLD=NEW` gives them.

    Raises:
        ConfigurationError: one is not of that form.
    """
    found = dict(one.partition("=")[::2] for one in pairs)
    if not all(old and new for old, new in found.items()):
        raise ConfigurationError(f"--map: {', '.join(pairs)}; write OLD=NEW, as in --map SpecificDisease=Disease")
    return found


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(text: str, *, option: str, least: int = 0) -> int:
    """The bytes that a size names; `GB` and `GiB` both count 1024 to a step.

    Raises:
        ConfigurationError: the text is no size, or one below `least`; the message names `option`.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"{option}: {text!r} is no size; write 2GB or 512MB")
    number = int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])
    if number < least:
        raise ConfigurationError(f"{option}: {text} is too little; give {least // 1024**2}MB or more")
    return number
