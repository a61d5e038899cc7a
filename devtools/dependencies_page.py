"""docs/dependencies.md, made from pyproject.toml: `python -m devtools.dependencies_page > docs/dependencies.md`.

What each package is for stands beside it in pyproject.toml; its licence is what the installed package says of itself.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PROJECT_FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"
_LINE = re.compile(r'"(?P<name>[\w.-]+)(?:\[[\w,]+\])?(?P<limits>[^"\n]*)"[^#\n]*(?:#\s*(?P<reason>.*))?')
_OSI = "License :: OSI Approved :: "
_TITLE = """# What bioner stands on

Made from pyproject.toml by `python -m devtools.dependencies_page`; do not edit. `constraints.txt` pins the versions
that were tested. A licence is what the installed package says of itself; one that is not installed here has none.

On 23 November 2026 each had a release of the last twelve months but these: jinja2 (March 2025) and tomli-w (January
2025), small and finished; and for tests alone pytest-xdist (July 2025), pubmed_parser (August 2024), openpyxl (June
2024), lxml-stubs (January 2024) and bioc (August 2023), the last four yardsticks and type stubs that nothing else
stands on.
"""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One requirement: the group that asks for it, its name, its limits, and what it is for."""

    group: str
    name: str
    limits: str
    reason: str


def read_dependencies(project_file: Path = PROJECT_FILE) -> list[Dependency]:
    """All requirements, in the order of the file; `group` is "run" for those that everyone installs."""
    text = project_file.read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    groups = {"run": project["dependencies"], **project["optional-dependencies"]}
    found = {match["name"]: match for match in _LINE.finditer(text)}
    return [
        Dependency(group, match["name"], match["limits"], (match["reason"] or "").strip())
        for group, requirements in groups.items()
        for match in (found[re.match(r"[\w.-]+", one)[0]] for one in requirements)  # type: ignore[index]
    ]


def licence_of(name: str) -> str:
    """The licence that the installed package names; empty where it is not installed or names none."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    classifiers = [one.removeprefix(_OSI) for one in told.get_all("Classifier") or () if one.startswith(_OSI)]
    if "License-Expression" in told:
        return told["License-Expression"]
    return ", ".join(classifiers) or (told["License"].partition("\n")[0] if "License" in told else "")


def dependencies_page() -> str:
    """The whole page."""
    return "".join(_parts(read_dependencies()))


def _parts(dependencies: list[Dependency]) -> Iterator[str]:
    yield _TITLE
    for group in dict.fromkeys(one.group for one in dependencies):
        yield f"\n## {'To run' if group == 'run' else f'Extra `{group}`'}\n\n| package | limits | licence | for |\n"
        yield "| --- | --- | --- | --- |\n"
        for one in dependencies:
            if one.group == group:
                yield f"| {one.name} | {one.limits or 'any'} | {licence_of(one.name)} | {one.reason} |\n"


if __name__ == "__main__":
    sys.stdout.write(dependencies_page())
