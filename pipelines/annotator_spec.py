"""How to build an annotator in another process, without importing it in this one."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bioner_core.annotation import Annotator
from bioner_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class AnnotatorSpec:
    """The name of a function that builds an annotator, and its keyword arguments.

    `factory` is `module:function`; the module is imported only where `build` is called, so that the launcher and the
    Beam workers never import torch. The arguments must be picklable.

    Raises:
        ConfigurationError: `factory` does not read `module:function`.
    """

    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        module, _, function = self.factory.partition(":")
        if not module or not function.isidentifier():
            raise ConfigurationError(f"factory must read 'module:function', not {self.factory!r}: name one")

    def build(self) -> Annotator:
        """Import the module and call the function.

        Raises:
            ConfigurationError: the module has no such function. Errors of the import or of the call pass unchanged.
        """
        module_name, _, function_name = self.factory.partition(":")
        build = getattr(importlib.import_module(module_name), function_name, None)
        if not callable(build):
            raise ConfigurationError(f"factory {self.factory!r}: {module_name} has no function {function_name!r}")
        return cast("Annotator", build(**self.arguments))
