"""`bioner mentions`: a look at the mentions of a few documents."""

from typing import Annotated

import typer

from jobs.options.common import Json, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result, require_store
from jobs.terminal.damage import tell_left_out
from jobs.terminal.mention_table import as_object, print_mentions, some_documents

HELP = """
Show the mentions of a few documents. Each is shown in its newest version: of the current snapshot, or where there is
none of what is committed. Nested mentions are indented under what encloses them; sources take turns.

\b
Example:
  bioner mentions --store my-store --limit 5 --nested
"""

Limit = Annotated[int, typer.Option(min=1, help="How many documents at most.")]
Nested = Annotated[bool, typer.Option("--nested", help="Only documents with an accepted mention inside another.")]
Accepted = Annotated[bool, typer.Option("--accepted", help="Leave out what the selector turned down.")]


def mentions(
    store: StoreOption, limit: Limit = 5, nested: Nested = False, accepted: Accepted = False, as_json: Json = False
) -> int:
    """Print mentions; returns the exit code."""
    with only_results_on_stdout():
        require_store(store)
        tell_left_out(store)
        found = some_documents(store, limit=limit, nested_only=nested, accepted_only=accepted)
    result = {"documents": [as_object(one) for one in found]}

    def show() -> None:
        if found:
            print_mentions(found)
        else:
            print("no such mentions in this store")

    print_result(result, as_json=as_json, show=show)
    return 0
