"""Finds the command lines of bioner in documents, manifests, units and scripts, and parses them; none is run."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

import typer.main
import yaml

from jobs.main import app, split_beam_options

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA = REPOSITORY / "infra"
PROGRAM = "bioner"
_SEPARATORS = {"&&", "||", ";", "|", "&"}
_REDIRECTIONS = {">", ">>", "<", ">&"}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words after `bioner`, and where they stand. A `mention` in running text need not have all that it needs."""

    place: str
    words: tuple[str, ...]
    mention: bool = False


def shell_commands(line: str, place: str) -> Iterator[CommandLine]:
    """The calls of bioner in a line of shell; assignments before them and redirections are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    words = iter([*lexer, ";"])
    for word in words:
        if word in _REDIRECTIONS:
            next(words, None)
        elif word in _SEPARATORS:
            yield from _called(command, place)
            command = []
        elif command or not (word == "exec" or _ASSIGNMENT.match(word)):
            command.append(word)


def _called(command: list[str], place: str) -> Iterator[CommandLine]:
    if command[:2] == ["sh", "-c"]:
        yield from shell_commands(command[2], place)
    elif command[:1] in (["kubectl"], ["runuser"]) and "--" in command:
        yield from _called(command[command.index("--") + 1 :], place)
    elif command[:1] == ["env"]:
        yield from _called(list(dropwhile(_ASSIGNMENT.match, command[1:])), place)
    elif command and Path(command[0]).name == PROGRAM:
        yield CommandLine(place, tuple(command[1:]))


def document_commands(path: Path) -> Iterator[CommandLine]:
    """The commands of a Markdown document: each line of its code blocks, and mentions in running text."""
    for number, line in _lines(path):
        place = f"{path.relative_to(REPOSITORY)}:{number}"
        if line.startswith("    "):
            yield from shell_commands(line.split("#")[0] if " # " in line else line, place)
            continue
        for span in re.findall(r"`([^`]+)`", line):
            if span.split()[0] == PROGRAM:
                yield CommandLine(place, tuple(span.split()[1:]), mention=True)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash is joined with the next."""
    text = path.read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", text)
    yield from enumerate(joined.splitlines(), start=1)


def manifest_commands(path: Path) -> Iterator[CommandLine]:
    """The commands of a Kubernetes manifest: containers of bioner's image, and entry points of Ray jobs."""
    place = str(path.relative_to(REPOSITORY))
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        for node in _mappings(document):
            if "entrypoint" in node:
                yield from shell_commands(node["entrypoint"], place)
            if str(node.get("image", "")).startswith(f"{PROGRAM}:"):
                words = node.get("command", [PROGRAM]) + node.get("args", [])
                if words[0] == PROGRAM and len(words) > 1:
                    yield CommandLine(place, tuple(words[1:]))


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for child in children:
        yield from _mappings(child)


def unit_commands(path: Path) -> Iterator[CommandLine]:
    """The commands that a systemd service starts."""
    for number, line in _lines(path):
        key, _, value = line.partition("=")
        if key.startswith("Exec"):
            yield from shell_commands(value, f"{path.relative_to(REPOSITORY)}:{number}")


def script_commands(path: Path) -> Iterator[CommandLine]:
    """The commands of a shell script or a container file."""
    for number, line in _lines(path):
        if not line.lstrip().startswith("#"):
            shell = re.sub(r"^\s*RUN |\bthen ", " ; ", line)
            yield from shell_commands(shell.replace("[ ", " ").replace(" ]", " "), f"{path.name}:{number}")


def infra_commands() -> list[CommandLine]:
    """Every command line that occurs in infra/."""
    readers = {".md": document_commands, ".yaml": manifest_commands, ".service": unit_commands, ".sh": script_commands}
    found = [
        one
        for path in sorted(INFRA.rglob("*"))
        if path.suffix in readers and path.parent.name not in ("prometheus", "grafana")
        for one in readers[path.suffix](path)
    ]
    return found + [one for path in INFRA.rglob("Containerfile") for one in script_commands(path)]


def parse(line: CommandLine) -> None:
    """Parse a command line as the program itself would, and do nothing.

    Raises:
        typer.TyperException: a verb, option or value that the program does not know, or a missing one.
    """
    words, beam_options = split_beam_options(line.words)
    command = typer.main.get_command(app)
    for leaf in _leaves(command):
        leaf.callback = None
        if line.mention:
            for parameter in leaf.params:
                parameter.required = False
    command(args=words, prog_name=PROGRAM, standalone_mode=False, obj=beam_options)


def _leaves(command: Any) -> Iterator[Any]:
    children: Sequence[Any] = tuple(getattr(command, "commands", {}).values())
    if not children:
        yield command
    for child in children:
        yield from _leaves(child)
