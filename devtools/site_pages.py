"""Pages of the docs site that are made from the code: mkdocs calls `on_files` before it builds (`make docs`).

They are not kept in the repository, so they are never behind the code: the start page from README.md, the options of
every command from the commands themselves, the Python API from `bioner.__all__`, the reasons from the comments, and the
changes from CHANGELOG.md.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bioner
from devtools.reasons_page import page as reasons_page

REPOSITORY = Path(__file__).resolve().parent.parent
_LINK_OUT = re.compile(r"\[([^\]]+)\]\((?:\.\./)?(?:(?:infra|tests|shared)/[^)]*|CONTRIBUTING\.md)\)")
_WIDTH = "100"


def generated_pages() -> dict[str, str]:
    """The text of each page that is made from the code, by its name."""
    return {
        "index.md": start_page(),
        "command_options.md": commands_page(),
        "api.md": api_page(),
        "reasons.md": reasons_page(),
        "changes.md": (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "]("),
    }


def start_page() -> str:
    """README.md as a page of the site: links into docs/ are links beside it, and what is not on the site is no link."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return _LINK_OUT.sub(r"\1", text).replace("](docs/", "](")


def commands_page() -> str:
    """Every command with its help, as the terminal shows it."""
    parts = ["# Every option", "What `--help` says of each command.", *_helps()]
    return "\n\n".join(parts) + "\n"


def api_page() -> str:
    """The public names of `bioner`, with what they say of themselves."""
    found = [getattr(bioner, name) for name in sorted(bioner.__all__) if name != "__version__"]
    parts = ["# Python API", (bioner.__doc__ or "").strip(), *(f"::: {one.__module__}.{one.__name__}" for one in found)]
    return "\n\n".join(parts) + "\n"


def on_files(files: Any, config: Any) -> Any:
    """Called by mkdocs with the files of docs/; adds the generated ones."""
    from mkdocs.structure.files import File

    for name, content in generated_pages().items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs with the text of each page; what is not on the site is no link."""
    return _LINK_OUT.sub(r"\1", markdown)


def _helps() -> Iterator[str]:
    from typer.main import get_command

    from jobs.main import PROGRAM, app

    os.environ["COLUMNS"] = _WIDTH  # the help is as wide as the terminal
    group = get_command(app)
    yield from _help_of(group, PROGRAM, None)


def _help_of(command: Any, path: str, parent: Any) -> Iterator[str]:
    context = command.make_context(path.rpartition(" ")[2], ["--help"], parent=parent, resilient_parsing=True)
    yield f"## {path}\n\n```text\n{command.get_help(context)}\n```"
    for name, one in getattr(command, "commands", {}).items():
        yield from _help_of(one, f"{path} {name}", context)
