"""Options that go together, on a command line of their own."""

import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from jobs.options.common import takes_option_groups


@dataclass(frozen=True, kw_only=True)
class Inner:
    """One option with a name of its own."""

    kind: Annotated[str, typer.Option("--sort")] = "plain"


@dataclass(frozen=True, kw_only=True)
class Outer:
    """A needed option, and a group."""

    store: Annotated[str, typer.Option()]
    inner: Inner = field(default_factory=Inner)
    count: Annotated[int, typer.Option()] = 3
    last: str = "for the command to set"


def called_with(*arguments: str) -> tuple[int, list[object]]:
    """The exit code of a command line, and what its command was given."""
    given: list[object] = []
    app = typer.Typer()

    @app.command()
    @takes_option_groups
    def command(name: Annotated[str, typer.Argument()], outer: Outer, last: bool = False) -> int:
        given.extend([name, outer, last])
        return 0

    return CliRunner().invoke(app, list(arguments)).exit_code, given


def test_fields_are_options_and_come_back_as_the_group() -> None:
    """Catches a field that is lost on its way, and a group within a group that is not filled."""
    code, given = called_with("x", "--store", "s", "--sort", "other", "--count", "5", "--last")
    assert (code, given) == (0, ["x", Outer(store="s", inner=Inner(kind="other"), count=5), True])


def test_defaults_are_those_of_the_fields() -> None:
    """Catches defaults that the command line knows better than the dataclass."""
    assert called_with("x", "--store", "s") == (0, ["x", Outer(store="s"), False])


def test_a_field_that_is_no_option_keeps_its_default() -> None:
    """Catches a field for the command alone that becomes an option, or takes the value of one of the same name."""
    _, given = called_with("x", "--store", "s", "--last")
    assert given == ["x", Outer(store="s", last="for the command to set"), True]


def test_needed_options_stand_first() -> None:
    """Catches a store that --help shows behind twenty options that may be left out."""

    @dataclass(frozen=True, kw_only=True)
    class Needed:
        store: Annotated[str, typer.Option()]

    def command(inner: Inner, needed: Needed) -> int:
        return len(needed.store) + len(inner.kind)

    assert list(inspect.signature(takes_option_groups(command)).parameters) == ["store", "kind"]


def test_a_field_without_default_is_needed() -> None:
    """Catches an option that is silently left out."""
    assert called_with("x") == (2, [])


def test_one_name_is_one_option() -> None:
    """Catches two groups of which one never hears its option."""

    def command(inner: Inner, kind: str = "mine") -> int:
        return len(kind) + len(inner.kind)

    with pytest.raises(ValueError, match="kind"):
        takes_option_groups(command)
