"""Read a KGX export back with the package kgx, and look up its prefixes with curies and bioregistry.

    bioner export --store STORE --format kgx --output graph
    python -m devtools.check_kgx graph

None of the three packages is one of bioner's. Without bioregistry prefixes are compared with the Biolink model alone.
kgx fetches the Biolink model, a table of predicates and a table of prefixes; here it reads the model that its package
`biolink-model` brings along, and the prefixes in that. Nothing is fetched.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bioner_core.errors import ConfigurationError

_OWN = "bioner."
"""How prefixes of what is nobody's but bioner's begin: mentions and surface forms."""


def check(folder: Path) -> dict[str, Any]:
    """What kgx makes of an export, and what is known of its prefixes.

    Raises:
        ConfigurationError: kgx is not installed.
    """
    graph = _graph(folder)
    nodes, edges = dict(graph.nodes(data=True)), list(graph.edges(data=True))
    categories = {name for facts in nodes.values() for name in facts.get("category", ())}
    return {
        "nodes": len(nodes),
        "edges": len(edges),
        "without_category": sum(not one.get("category") for one in nodes.values()),
        "unknown_categories": sorted(categories - known_categories()),
        "dangling": sum(start not in nodes or end not in nodes for start, end, _ in edges),
        "prefixes": prefixes(nodes, known=known_prefixes({curie.partition(":")[0] for curie in nodes})),
    }


def prefixes(nodes: Mapping[str, Mapping[str, Any]], *, known: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """How often each prefix occurs, and as what it is known; empty where nobody knows it.

    `own` are bioner's, and documents of a source that has no registered prefix (`jsonl:1`).
    """
    counts = Counter(curie.partition(":")[0] for curie in nodes)
    concepts = {curie.partition(":")[0] for curie, facts in nodes.items() if not _is_document(facts)}
    return {
        prefix: {"nodes": number, "known_as": known.get(prefix, "own" if _is_own(prefix, concepts) else "")}
        for prefix, number in sorted(counts.items())
    }


def _is_own(prefix: str, concepts: Container[str]) -> bool:
    return prefix.startswith(_OWN) or prefix not in concepts


def _is_document(facts: Mapping[str, Any]) -> bool:
    return "biolink:Publication" in facts.get("category", ())


def known_prefixes(asked: Iterable[str]) -> dict[str, str]:
    """Which prefixes the Biolink model has, and which bioregistry knows as they are written, or as synonyms."""
    model = _read_model()
    preferred = (prefix for one in model["classes"].values() for prefix in (one or {}).get("id_prefixes", ()))
    biolink = {*model["prefixes"], *preferred}
    found = {prefix: ["biolink"] * (prefix in biolink) for prefix in asked}
    if find_spec("bioregistry") is not None:
        registry: Any = importlib.import_module("bioregistry")
        for prefix, places in found.items():
            entry = registry.get_resource(prefix)
            if entry and prefix in {entry.prefix, entry.get_preferred_prefix(), *entry.get_synonyms()}:
                places.append(f"bioregistry:{entry.prefix}")
    return {prefix: ", ".join(places) for prefix, places in found.items() if places}


def known_categories() -> set[str]:
    """The classes of the Biolink model, as CURIEs."""
    names = (str(name).split() for name in _read_model()["classes"])
    return {"biolink:" + "".join(word[:1].upper() + word[1:] for word in words) for words in names}


def _graph(folder: Path) -> Any:
    if find_spec("kgx") is None or find_spec("bmt") is None:
        raise ConfigurationError("the package kgx is not installed: pip install kgx, in an environment of its own")
    with tempfile.TemporaryDirectory() as scratch:
        _without_network(importlib.import_module("bmt.toolkit"), Path(scratch))
        transformer = importlib.import_module("kgx.transformer").Transformer()
        files = [str(folder / name) for name in ("nodes.tsv", "edges.tsv")]
        transformer.transform({"filename": files, "format": "tsv"})
        return transformer.store.graph


def _without_network(toolkit: ModuleType, scratch: Path) -> None:
    """Let the toolkit of the Biolink model read files where it would fetch them."""
    no_predicates = scratch / "predicates.yaml"
    no_predicates.write_text("predicate mappings: []\n", encoding="utf-8")
    model, made = str(_biolink_model()), toolkit.Toolkit.__init__

    def init(self: Any, *_: Any, **__: Any) -> None:
        made(self, model, str(no_predicates))

    toolkit.Toolkit.__init__ = init
    contexts: Any = importlib.import_module("kgx.config")
    contexts.jsonld_context_map["biolink"] = _read_model()["prefixes"] | {"@vocab": "https://w3id.org/biolink/vocab/"}


def _read_model() -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")
    model: dict[str, Any] = yaml.safe_load(_biolink_model().read_text(encoding="utf-8"))
    return model


def _biolink_model() -> Path:
    spec = find_spec("biolink_model")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("the package biolink-model is not installed; kgx needs it")
    return Path(next(iter(spec.submodule_search_locations))) / "schema" / "biolink_model.yaml"


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code: 1 where an edge dangles, or a category or prefix is unknown."""
    parser = argparse.ArgumentParser(prog="python -m devtools.check_kgx", description=__doc__)
    parser.add_argument("folder", type=Path, help="what `bioner export --format kgx` wrote")
    try:
        found = check(parser.parse_args(arguments).folder)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1, ensure_ascii=False))
    unknown = [prefix for prefix, one in found["prefixes"].items() if not one["known_as"]]
    return 1 if any(found[name] for name in ("dangling", "without_category", "unknown_categories")) or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
