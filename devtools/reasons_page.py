"""A page of the invariants, races and numbers that the code rests on, each as it is explained in the code.

    python -m devtools.reasons_page

The docs site has it as `reasons.md`; it is made when the site is built, so it is never behind the code.

An invariant is a comment that begins with `# Invariant:`, a race one that begins with `# Race:`; both go on over the
comment lines below. A number is a constant of a module; what it is for is the text under it or the comment above it.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

AREAS = {
    "Decoding": ("bioner_core/decoding", "bioner_core/models"),
    "Batches, memory and failures of rows": ("bioner_core/inference",),
    "The pool": ("pipelines/pool",),
    "Shards, from input to commit": ("pipelines/*.py",),
    "The store": ("bioner_core/store",),
    "Training": ("bioner_core/training",),
}
"""Chapter of the page: the folders, or files, that it is about."""

_MARK = re.compile(r"\s*# (Invariant|Race): (.+)")
_NAME = re.compile(r"_?[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is. `kind` is Invariant, Race or Number, `place` a file and what stands there."""

    kind: str
    place: str
    words: str


def reasons_of(path: Path) -> list[Reason]:
    """What the comments and constants of a file explain; a number without a word has none in `words`."""
    text = path.read_text(encoding="utf-8")
    place = path.relative_to(REPOSITORY).as_posix()
    return [*_marked(text, ast.parse(text), place), *_numbers(text.splitlines(), ast.parse(text), place)]


def reasons(area: str) -> list[Reason]:
    """What the files of an area explain."""
    return [reason for path in _files(AREAS[area]) for reason in reasons_of(path)]


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for area in AREAS:
        found = reasons(area)
        parts.append(f"## {area}\n")
        for kind in ("Invariant", "Race", "Number"):
            rows = [f"| {one.words} | `{one.place}` |" for one in found if one.kind == kind]
            if rows:
                parts.append(f"| {kind.lower()} | where |\n| --- | --- |\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


_INTRODUCTION = """# What the code rests on

Invariants that must hold, races that were thought through, and numbers that were chosen: each in the words of the
comment that stands in the code, at the line that would break it. Made from the code by
`python -m devtools.reasons_page`. The states of an actor and of a batch are drawn in `pipelines/pool/__init__.py`; that
drafting changes no answer is proved in [method.md](method.md). What is promised to users, and which test guards each
promise, is in [promises.md](promises.md).
"""


def _files(places: Sequence[str]) -> Iterator[Path]:
    for place in places:
        pattern = place if place.endswith(".py") else f"{place}/**/*.py"
        yield from sorted(REPOSITORY.glob(pattern))


def _marked(text: str, tree: ast.Module, place: str) -> Iterator[Reason]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if found := _MARK.match(line):
            words = [found[2], *_comment_from(lines, number + 1)]
            explained = _plain(" ".join(words))
            yield Reason(found[1], f"{place}: {_owner(tree, number + 1)}", explained[:1].upper() + explained[1:])


def _comment_from(lines: Sequence[str], start: int) -> Iterator[str]:
    for line in lines[start:]:
        stripped = line.strip()
        if not stripped.startswith("# ") or _MARK.match(line):
            return
        yield stripped.removeprefix("# ")


def _owner(tree: ast.Module, line: int) -> str:
    """The innermost function or class around a line, with the classes around it."""
    around = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return ".".join(around) or "the module"


def _numbers(lines: Sequence[str], tree: ast.Module, place: str) -> Iterator[Reason]:
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_number(node.value)):
            continue
        name = node.targets[0].id
        if _NAME.fullmatch(name):
            words = _text_under(following) or " ".join(_comments_at(lines, node.lineno - 1))
            yield Reason("Number", f"{place}: {name} = {ast.unparse(node.value)}", _plain(words))


def _is_number(value: ast.expr) -> bool:
    constants = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant)]
    plain = not any(isinstance(node, ast.Call | ast.Tuple | ast.Dict | ast.List | ast.Set) for node in ast.walk(value))
    return plain and bool(constants) and all(isinstance(one, int | float) for one in constants)


def _text_under(following: ast.stmt | None) -> str:
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return str(following.value.value)
    return ""


def _comments_at(lines: Sequence[str], index: int) -> list[str]:
    """The comment at the end of a line, else the comment lines above it."""
    if "  # " in lines[index]:
        return [lines[index].partition("  # ")[2]]
    above: list[str] = []
    while index > 0 and lines[index - 1].startswith("# "):
        index -= 1
        above.insert(0, lines[index].removeprefix("# "))
    return above


def _plain(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
