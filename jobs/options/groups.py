"""Options that go together: a frozen dataclass whose fields are options, given to every verb that names it."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, TypeGuard


def takes_option_groups(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command with dataclasses among its parameters be called with their fields as options of its own.

    A field may be such a dataclass again. The options stand where the group stands; their defaults are those of the
    fields.

    Raises:
        ValueError: two options have one name.
    """

    @functools.wraps(command)
    def called(**given: Any) -> int:
        return command(**_gathered(inspect.signature(command), given))

    parameters = list(_options(inspect.signature(command)))
    called.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    return called


def _options(signature: inspect.Signature) -> Iterator[inspect.Parameter]:
    for one in signature.parameters.values():
        if _is_group(one.annotation):
            yield from _options(inspect.signature(one.annotation))
        else:
            yield one.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _gathered(signature: inspect.Signature, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _made(one.annotation, given) if _is_group(one.annotation) else given[name]
        for name, one in signature.parameters.items()
    }


def _made(group: type[Any], given: Mapping[str, Any]) -> object:
    return group(**_gathered(inspect.signature(group), given))


def _is_group(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type) and is_dataclass(annotation)
