"""The Kubernetes manifests of infra/, one object at a time, and what is in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"
KUBERAY_SCHEMA = json.loads(Path(__file__).with_name("kuberay_v1.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object and the file that it stands in."""

    path: Path
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.content["kind"])

    @property
    def title(self) -> str:
        """File, kind and name, for a person."""
        names = self.content["metadata"]
        return f"{self.path.name} {self.kind} {names.get('name') or names['generateName']}"

    def pods(self) -> list[dict[str, Any]]:
        """The pod templates in it, of Ray's groups too."""
        return list(_templates(self.content))

    def containers(self) -> list[dict[str, Any]]:
        """The containers in it, those that run first among them."""
        specs = [pod["spec"] for pod in self.pods()]
        return [one for spec in specs for one in [*spec.get("initContainers", ()), *spec["containers"]]]


def all_manifests() -> list[Manifest]:
    """Every object of infra/kuberay and infra/beam."""
    paths = [path for folder in ("kuberay", "beam") for path in sorted((INFRA / folder).rglob("*.yaml"))]
    return [
        Manifest(path, content)
        for path in paths
        if path.name != "kustomization.yaml"
        for content in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def manifest(name: str, kind: str) -> Manifest:
    """The first object of this kind in the file of this name."""
    return next(one for one in all_manifests() if one.path.name == name and one.kind == kind)


def check(content: Mapping[str, Any], kubernetes: str) -> None:
    """Compare an object with the schema of its kind; a field that the schema does not know is an error.

    Raises:
        jsonschema.ValidationError: it does not fit.
    """
    if not content["apiVersion"].startswith("ray.io/"):
        kubernetes_validate.validate(dict(content), kubernetes, strict=True)
        return
    jsonschema.validate(content, KUBERAY_SCHEMA)
    for template in _templates(content):
        wrapped = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "any"}, "template": template}
        kubernetes_validate.validate(wrapped, kubernetes, strict=True)


def _templates(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, Mapping):
        if "containers" in value.get("spec", {}):
            yield dict(value)
        value = value.values()
    if not isinstance(value, str):
        for child in value if hasattr(value, "__iter__") else ():
            yield from _templates(child)
