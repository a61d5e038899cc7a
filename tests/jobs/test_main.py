"""The command itself: help, exit codes and errors that come before any work."""

import subprocess
import sys
from pathlib import Path

import pytest
from job_commands import Command
from typer.core import TyperCommand
from typer.main import get_command

from jobs.main import COMMANDS, app, module_of

REPOSITORY = Path(__file__).resolve().parents[2]

VERBS = [
    ("annotate",),
    ("status",),
    ("retry",),
    ("formats",),
    ("verify",),
    ("mentions",),
    ("evaluate",),
    ("models", "pull"),
    ("models", "list"),
    ("models", "show"),
    ("train", "sft"),
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_has_an_example_and_json(bioner: Command, verb: tuple[str, ...]) -> None:
    """Catches a verb without help, without an example that begins with its own name, or without --json."""
    done = bioner(*verb, "--help")
    assert done.code == 0
    assert f"bioner {' '.join(verb)}" in done.out.split("Example", 1)[1]
    assert "--json" in done.out


def test_no_words_show_the_verbs(bioner: Command) -> None:
    """Catches a bare `bioner` that ends with an error or a stack trace."""
    done = bioner()
    assert done.code == 0
    assert all(verb[0] in done.out for verb in VERBS)


@pytest.mark.parametrize(
    "words",
    [
        ("anotate",),
        ("annotate",),
        ("annotate", "x.xml"),
        ("annotate", "x.xml", "--store", "s", "--actors", "many"),
        ("models",),
        ("mentions", "--store", ".", "--limit", "0"),
        ("status", "--store", ".", "--", "--beam_option=1"),
        ("status", "--store", "no-such-folder"),
        ("verify", "--store", "no-such-folder"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(bioner: Command, words: tuple[str, ...]) -> None:
    """Catches usage errors that print a stack trace, a page of help, or anything on standard output."""
    done = bioner(*words)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(command: str) -> None:
    """Catches a sentence in the list, which is written without importing the command, that its own help has left."""
    shown = get_command(app)
    assert TyperCommand(command, help=COMMANDS[command]).get_short_help_str(999) == shown.commands[
        command
    ].get_short_help_str(999)


def test_every_command_is_listed() -> None:
    """Catches a command that is a module but no line of the help."""
    modules = {path.stem for path in (REPOSITORY / "jobs" / "commands").glob("[!_]*.py")}
    assert {module_of(one).rpartition(".")[2] for one in COMMANDS} == modules


def test_version(bioner: Command) -> None:
    """Catches a version option that falls through to a missing verb."""
    assert bioner("--version").out.startswith("bioner 0.")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """Catches a stack trace when standard output is closed, as `bioner models list | head -0` does."""
    code = "import os, jobs.main; reader, writer = os.pipe(); os.dup2(writer, 1); os.close(reader); jobs.main.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("verb", ["annotate", "nightly pubmed", "nightly cnki", "backfill pubmed", "bench decode"])
def test_help_waits_for_no_library_of_the_work(verb: str) -> None:
    """Catches help that takes seconds since a command imports pyarrow, Beam or torch before it knows what is asked."""
    code = (
        "import sys\nfrom jobs.main import run_command\n"
        f"run_command({[*verb.split(), '--help']!r})\n"
        "sys.exit(str(sorted({'pyarrow', 'torch', 'apache_beam', 'ray'} & set(sys.modules)) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
