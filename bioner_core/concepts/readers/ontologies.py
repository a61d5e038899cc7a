"""Ontologies as OBO text and as OBO-graph JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioner_core.concepts.concept import RELATED, SYNONYM, Concept, Synonym, check_hierarchy
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.errors import InputError

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*([A-Z]*)')
_PURL = re.compile(r"https?://purl\.obolibrary\.org/obo/([A-Za-z]+)_(\S+)")
_WEIGHTS = {"EXACT": SYNONYM, "hasExactSynonym": SYNONYM}


def read_obo(path: Path, prefix: str) -> Iterator[Concept]:
    """The terms of an OBO file that are not obsolete; those of other namespaces than `prefix` too, if it is empty.

    Raises:
        InputError: a line is no OBO, or the hierarchy goes in a circle; the message names file and line.
    """
    parents: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for number, tags in _stanzas(path):
        found = _term(tags, number, path)
        if found is None or (prefix and not found.concept_id.startswith(f"{prefix}:")):
            continue
        parents[found.concept_id] = found.parents
        lines[found.concept_id] = number
        yield found
    check_hierarchy(parents, lines, file=str(path))


def read_obograph(path: Path, prefix: str) -> Iterator[Concept]:
    """The classes of an OBO-graph JSON file that are not deprecated.

    Raises:
        InputError: it is no such JSON, or the hierarchy goes in a circle.
    """
    try:
        graphs = json.loads("\n".join(line for _, line in text_lines(path)))["graphs"]
        parents = _graph_parents(graphs)
        found = [one for graph in graphs for node in graph.get("nodes", ()) if (one := _node(node, parents))]
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: is no JSON ({error.msg})") from error
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: is no OBO graph ({error!r}); it needs graphs with nodes and edges") from error
    wanted = [one for one in found if not prefix or one.concept_id.startswith(f"{prefix}:")]
    check_hierarchy({one.concept_id: one.parents for one in wanted}, {}, file=str(path))
    yield from wanted


def _stanzas(path: Path) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """The tags of each `[Term]`, with the line where it begins."""
    start, tags, wanted = 0, list[tuple[str, str]](), False
    for number, line in text_lines(path):
        if line.startswith("["):
            if wanted:
                yield start, tags
            if not line.rstrip().endswith("]"):
                raise InputError(f"{path}, line {number}: {line[:40]!r} is no OBO stanza such as [Term]")
            start, tags, wanted = number, [], line.strip() == "[Term]"
        elif line.strip() and not line.startswith("!"):
            tag, colon, value = line.partition(":")
            if not colon:
                raise InputError(f"{path}, line {number}: {line[:40]!r} is no OBO; a line is `tag: value`")
            tags.append((tag.strip(), value.strip()))
    if wanted:
        yield start, tags


def _term(tags: list[tuple[str, str]], number: int, path: Path) -> Concept | None:
    values: dict[str, list[str]] = {}
    for tag, value in tags:
        values.setdefault(tag, []).append(value)
    if "true" in values.get("is_obsolete", ()) or "name" not in values:
        return None
    if "id" not in values:
        raise InputError(f"{path}, line {number}: a term without id")
    return Concept(
        values["id"][0],
        values["name"][0],
        synonyms=tuple(_synonym(text, path, number) for text in values.get("synonym", ())),
        replaces=tuple(values.get("alt_id", ())),
        parents=tuple(text.partition("!")[0].partition("{")[0].strip() for text in values.get("is_a", ())),
        line=number,
    )


def _synonym(text: str, path: Path, number: int) -> Synonym:
    found = _QUOTED.match(text)
    if found is None:
        raise InputError(f"{path}, line {number}: the term has a synonym without quotes: {text[:40]!r}")
    return Synonym(re.sub(r"\\(.)", r"\1", found[1]), _WEIGHTS.get(found[2], RELATED))


def _graph_parents(graphs: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    parents: dict[str, tuple[str, ...]] = {}
    for graph in graphs:
        for edge in graph.get("edges", ()):
            if edge.get("pred") == "is_a":
                parents[edge["sub"]] = (*parents.get(edge["sub"], ()), _curie(edge["obj"]))
    return parents


def _node(node: dict[str, Any], parents: dict[str, tuple[str, ...]]) -> Concept | None:
    meta = node.get("meta") or {}
    if node.get("type") != "CLASS" or not node.get("lbl") or meta.get("deprecated"):
        return None
    if not all(isinstance(name, str) for name in (node["lbl"], *(one["val"] for one in meta.get("synonyms", ())))):
        raise TypeError("names must be strings")
    names = tuple(Synonym(one["val"], _WEIGHTS.get(one["pred"], RELATED)) for one in meta.get("synonyms", ()))
    old = (one["val"] for one in meta.get("basicPropertyValues", ()) if one["pred"].endswith("hasAlternativeId"))
    return Concept(
        _curie(node["id"]),
        node["lbl"],
        synonyms=names,
        replaces=tuple(map(_curie, old)),
        parents=parents.get(node["id"], ()),
    )


def _curie(iri: str) -> str:
    found = _PURL.fullmatch(iri)
    return f"{found[1]}:{found[2]}" if found else iri
