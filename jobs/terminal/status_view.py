"""The live view of a store: one page on a terminal; elsewhere one line per look."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bioner_core.spoken import spoken_count
from pipelines.watch.store_watch import StoreView, StoreWatch

_MEMORY_CURE = "their machine ran out of memory; use fewer actors or a smaller --memory-cap"

MAX_ACTORS = 16
"""More than these are summed up in one line."""


def show_until_done(watch: StoreWatch, *, interval: float, as_json: bool) -> None:
    """Show a store every `interval` seconds until no job is at work on it; at once if none is.

    Raises:
        StoreError: the store is damaged.
    """
    console = Console()
    with ExitStack() as opened:
        on_page = console.is_terminal and not as_json
        live = opened.enter_context(Live(console=console, auto_refresh=False)) if on_page else None
        for view in _looks(watch, interval):
            if as_json:
                print(json.dumps(view.as_json(), ensure_ascii=False), flush=True)
            elif live is not None:
                live.update(page(view), refresh=True)
            else:
                print(line(view), flush=True)


def line(view: StoreView) -> str:
    """A view in one line."""
    words = [
        view.time,
        f"{spoken_count(view.shards_committed, 'shard')}, {view.shards_pending} pending",
        f"{spoken_count(view.counts.annotated + view.counts.unchanged, 'document')}, {view.documents_per_second:.1f}/s",
        spoken_count(view.counts.mentions, "mention"),
        spoken_count(sum(view.reject_reasons.values()), "reject"),
    ]
    if view.actors:
        words.append(
            f"{sum(one.state == 'busy' for one in view.actors)} of {spoken_count(len(view.actors), 'actor')} busy"
        )
    if view.memory_kills:
        words.append(f"{view.memory_kills} actor processes ended for memory")
    if view.damaged:
        words.append(f"{spoken_count(len(view.damaged), 'shard')} damaged: `bioner verify` names them")
    words.append(_left(view))
    return "  ".join(words)


def page(view: StoreView) -> RenderableType:
    """A view as a page for a terminal."""
    counts = view.counts
    facts = Table.grid(padding=(0, 2))
    for name, value in [
        ("job", "\n".join(view.jobs) or "none is at work on this store"),
        ("shards", f"{view.shards_committed} committed, {view.shards_pending} pending"),
        ("records", f"{counts.records_in} done, {view.records_pending} pending, {view.records_per_second:.1f}/s"),
        ("documents", f"{counts.annotated + counts.unchanged}, {view.documents_per_second:.1f}/s"),
        ("mentions", f"{counts.mentions}, {counts.mentions_accepted} accepted"),
        ("left", _left(view)),
        *([("memory", f"Ray ended {view.memory_kills} actor processes: {_MEMORY_CURE}")] if view.memory_kills else []),
        *(("damaged", fault) for fault in view.damaged),
        *(("rejects", f"{number} {reason}") for reason, number in view.reject_reasons.items()),
    ]:
        facts.add_row(Text(name, style="bold"), Text(value))
    return Group(facts, *_actors(view), Text(view.time, style="dim"))


def _looks(watch: StoreWatch, interval: float) -> Iterator[StoreView]:
    while True:
        view = watch.look()
        yield view
        if not view.jobs:
            return
        time.sleep(interval)


def _actors(view: StoreView) -> Iterator[RenderableType]:
    if not view.actors:
        return
    table = Table("actor", "state", "batch", "busy", box=None, header_style="bold", pad_edge=False)
    for one in view.actors[:MAX_ACTORS]:
        share = "" if one.busy_share is None else f"{one.busy_share:.1%}"
        table.add_row(one.name, one.state, f"{one.batch_seconds:.1f} s" if one.state == "busy" else "", share)
    yield table
    rest = view.actors[MAX_ACTORS:]
    if rest:
        yield Text(f"and {len(rest)} more, {sum(one.state == 'busy' for one in rest)} of them busy")


def _left(view: StoreView) -> str:
    if not view.jobs:
        return "no job is at work"
    if view.seconds_left is None:
        return "time left unknown"
    return f"about {timedelta(seconds=round(view.seconds_left))} left"
