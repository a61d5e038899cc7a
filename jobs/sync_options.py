"""The options that nightly jobs and backfills share, given to each of their commands at once."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs import annotation_options as annotation
from jobs.metrics_outlet import LOOPBACK, MetricsFile, MetricsHost, MetricsPort
from jobs.options import Json, NoSelector, Precision, Quiet, Store, Wait

Places = Annotated[
    list[str] | None,
    typer.Option("--from", help="Folder, index page or bucket prefix with the files; may be given often."),
]
RequiredPlaces = Annotated[
    list[str],
    typer.Option("--from", help="Folder, index page or bucket prefix with the files; may be given often."),
]
FirstNumber = Annotated[int, typer.Option(help="Number that the first year begins with, to do without earlier files.")]
WithoutMd5 = Annotated[bool, typer.Option("--without-md5", help="Also apply files that have no .md5 beside them.")]
AllowShrink = Annotated[
    bool, typer.Option("--allow-shrink", help="Let a new year replace the last one although it is much smaller.")
]
ShardOf = Annotated[str, typer.Option("--shard", metavar="K/N", help="This machine's part of the files, of N parts.")]

NoSnapshot = Annotated[bool, typer.Option("--no-snapshot", help="Make no snapshot; `bioner compact` makes one later.")]
KeepSnapshots = Annotated[int, typer.Option(min=1, help="How many snapshots stay, the new one among them.")]
SnapshotMemory = Annotated[
    str, typer.Option(help="About how much memory the snapshot may take; the rest goes to disk.")
]

_Downloads = Annotated[
    Path | None, typer.Option(help="Folder for downloads; else 'downloads' in the store.", file_okay=False)
]
_DiscardDownloads = Annotated[
    bool, typer.Option("--discard-downloads", help="Remove each download once it is applied.")
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what is to be done and how long it may take; change nothing.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What every nightly job and backfill is told; the fields are its options, and here are their defaults.

    Shards are larger than those of `annotate`: 37 million citations in shards of 200 would be a million files.
    """

    store: Store
    dry_run: _DryRun = False
    downloads: _Downloads = None
    discard_downloads: _DiscardDownloads = False
    label_set: annotation.LabelSets = None
    annotator: annotation.Kind = "model"
    model: annotation.Model = "default"
    precision: Precision = "bfloat16"
    no_selector: NoSelector = False
    actors: annotation.Actors = None
    gpus_per_actor: annotation.Gpus = None
    ray: annotation.Ray = "local"
    pool: annotation.Pool = None
    shard_records: annotation.ShardRecords = 1_000
    max_reject_rate: annotation.MaxRejectRate = 0.05
    token_budget: annotation.TokenBudget = None
    memory_cap: annotation.MemoryCap = None
    wait: Wait = 0.0
    metrics_port: MetricsPort = None
    metrics_host: MetricsHost = LOOPBACK
    metrics_file: MetricsFile = None
    as_json: Json = False
    quiet: Quiet = False


def takes_sync_options(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command whose first argument is `options: SyncOptions` be called with its fields as options of its own."""

    @functools.wraps(command)
    def called(**given: Any) -> int:
        shared = {name: given.pop(name) for name in SyncOptions.__dataclass_fields__}
        return command(SyncOptions(**shared), **given)

    own = [one for one in inspect.signature(command).parameters.values() if one.name != "options"]
    parameters = [*own, *inspect.signature(SyncOptions).parameters.values()]
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters], return_annotation=int
    )
    called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    return called
