"""The options that nightly jobs and backfills share, given to each of their commands at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bioner_core.store.layout import Store
from jobs.options.annotation import AnnotateConfig, ShardRecords
from jobs.options.common import Json
from jobs.options.metrics import MetricsOutlet
from pipelines.sync.retry import RetryPolicy

Places = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        help="Folder, index page or bucket prefix with the files; repeatable. Default: NLM's baseline and updatefiles.",
    ),
]
RequiredPlaces = Annotated[
    list[str],
    typer.Option("--from", help="Folder, index page or bucket prefix with the files; repeatable."),
]
FirstNumber = Annotated[
    int,
    typer.Option(
        min=1,
        help="Number that the store's first year begins with; its files before it are left out. Give it each time.",
    ),
]
WithoutMd5 = Annotated[bool, typer.Option("--without-md5", help="Also apply files that have no .md5 beside them.")]
AllowShrink = Annotated[
    bool, typer.Option("--allow-shrink", help="Let a new year replace the last one although it is much smaller.")
]
ShardOf = Annotated[str, typer.Option("--shard", metavar="K/N", help="This machine's part of the files, of N parts.")]

_Downloads = Annotated[
    Path | None, typer.Option(help="Folder for downloads. Default: 'downloads' in the store.", file_okay=False)
]
_DiscardDownloads = Annotated[
    bool, typer.Option("--discard-downloads", help="Remove each download once it is applied.")
]
_CaFile = Annotated[
    Path | None,
    typer.Option(
        help="Certificates (PEM) that HTTPS servers are checked against, instead of those of the web.",
        exists=True,
        dir_okay=False,
    ),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what is to be done and how long it may take; change nothing.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What every nightly job and backfill is told; the fields are its options, and here are their defaults."""

    dry_run: _DryRun = False
    downloads: _Downloads = None
    discard_downloads: _DiscardDownloads = False
    ca_file: _CaFile = None
    run: AnnotateConfig
    metrics: MetricsOutlet
    shard_records: ShardRecords = None
    as_json: Json = False

    @property
    def store(self) -> Store:
        """The store of the run."""
        return self.run.store

    @property
    def policy(self) -> RetryPolicy:
        """How servers are asked."""
        return RetryPolicy(ca_file=str(self.ca_file or ""))


_NoSnapshot = Annotated[bool, typer.Option("--no-snapshot", help="Make no snapshot; `bioner compact` makes one later.")]
_KeepSnapshots = Annotated[int, typer.Option(min=1, help="How many snapshots stay, the new one among them.")]
_SnapshotMemory = Annotated[
    str, typer.Option(help="About how much memory the snapshot may take; the rest goes to disk.")
]


_Link = Annotated[
    list[str] | None,
    typer.Option(
        "--link",
        metavar="VOCABULARY",
        help="Then link the newest documents to this vocabulary, without the model; repeatable, in order.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOptions:
    """What a nightly job is told of what it ends with: the snapshot that analysts read, and its links."""

    no_snapshot: _NoSnapshot = False
    keep_snapshots: _KeepSnapshots = 2
    snapshot_memory: _SnapshotMemory = "2GB"
    link: _Link = None
