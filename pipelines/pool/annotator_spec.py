"""How to build an annotator in another process, without importing it in this one."""

import importlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotation import Annotator


@dataclass(frozen=True, slots=True)
class AnnotatorSpec:
    """The name of a function that builds an annotator, and its keyword arguments.

    `factory` is `module:function`; the module is imported only where `build` is called, so that the launcher and the
    Beam workers never import torch. The arguments must be picklable. `fingerprint` is what the annotator must have,
    where that is known beforehand: a machine with another model is found out when an actor starts there.

    Raises:
        ConfigurationError: `factory` does not read `module:function`.
    """

    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    def __post_init__(self) -> None:
        module, _, function = self.factory.partition(":")
        if not module or not function.isidentifier():
            raise ConfigurationError(f"factory must read 'module:function', not {self.factory!r}: name one")

    def build(self) -> Annotator:
        """Import the module and call the function.

        Raises:
            ConfigurationError: the module has no such function. Errors of the import or of the call pass unchanged.
            ModelError: the annotator has another fingerprint than it must have.
        """
        module_name, _, function_name = self.factory.partition(":")
        build = getattr(importlib.import_module(module_name), function_name, None)
        if not callable(build):
            raise ConfigurationError(f"factory {self.factory!r}: {module_name} has no function {function_name!r}")
        annotator = cast("Annotator", build(**self.arguments))
        if self.fingerprint and annotator.fingerprint != self.fingerprint:
            raise ModelError(
                f"the model on {socket.gethostname()} has fingerprint {annotator.fingerprint}, not "
                f"{self.fingerprint}: install the same bioner and the same model on every machine"
            )
        return annotator
