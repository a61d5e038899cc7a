"""Options of the verbs that annotate, and the groups of them, so that they are named, explained and defaulted alike."""

from dataclasses import dataclass
from typing import Annotated

import typer

from jobs.options.common import NoSelector, Precision, Quiet, StoreOption, Wait

Format = Annotated[
    str | None, typer.Option("--format", help="Format of all inputs. Default: found from their content.")
]
Model = Annotated[str, typer.Option(help="Name of a model that ships (`bioner models list`), or the folder of one.")]
LabelSets = Annotated[
    list[str] | None,
    typer.Option("--label-set", help="Name or TOML file of a label set; repeatable. Default: those of the model."),
]
Kind = Annotated[str, typer.Option("--annotator", help="model, or null: finds nothing, to try the rest.")]
Ray = Annotated[str, typer.Option(help="'local' starts Ray on this machine; HOST:PORT joins a cluster.")]
ThreadsPerActor = Annotated[
    int | None, typer.Option(help="Threads of each actor. Default: processors divided by actors.")
]
Runner = Annotated[str, typer.Option(help="Beam runner; its options follow a lone --.")]
ShardRecords = Annotated[
    int | None,
    typer.Option(
        help="Records in a shard of an input that is new to the store. Default: about a minute of work, at most 1,000."
    ),
]
Feeders = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Processes that read the inputs and commit, on the nodes of Ray. Default: this command alone; a backfill "
        "on a cluster (--ray) has one for each node that sees the store.",
    ),
]
TokenBudget = Annotated[
    int | None,
    typer.Option(help="Estimated tokens in a batch, padding included. Default: what fits the actors' memory."),
]


@dataclass(frozen=True, slots=True)
class ActorRange:
    """How many actors: `most` are started, and work begins when `least` are ready."""

    least: int
    most: int

    def __str__(self) -> str:
        return str(self.most) if self.least == 1 else f"{self.least}..{self.most}"


def actor_range(text: "str | ActorRange") -> ActorRange:
    """`N` or `MIN..MAX` of --actors.

    Raises:
        BadParameter: it is neither.
    """
    if isinstance(text, ActorRange):  # typer gives a default through the parser too
        return text
    least, dots, most = text.partition("..")
    try:
        found = ActorRange(int(least) if dots else 1, int(most if dots else least))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number of actors; use N or MIN..MAX") from None
    if not 1 <= found.least <= found.most:
        raise typer.BadParameter(f"{text!r}: actors must be at least 1, and MIN at most MAX")
    return found


_Actors = Annotated[
    ActorRange | None,
    typer.Option(
        "--actors",
        parser=actor_range,
        metavar="N|MIN..MAX",
        help="Actors, each with a model; work begins with the first that is ready, or with MIN of them, and the others "
        "join. Default: one per GPU, one without GPU.",
    ),
]
_Gpus = Annotated[float | None, typer.Option(help="GPUs of each actor, may be below 1. Default: 1 if there are any.")]
_MemoryCap = Annotated[
    float | None,
    typer.Option(
        help="GB (10^9 bytes) that an actor's batches may take beside its model. Default: half of what is free."
    ),
]
_Pool = Annotated[
    str | None, typer.Option(help="Name of a pool that runs already (`bioner pool start`). Default: start actors.")
]
DocumentPass = Annotated[
    bool,
    typer.Option(
        "--document-pass/--no-document-pass",
        help="After a document's sentences: its abbreviations, repeats of its names, one type for one name.",
    ),
]
_MaxRejectRate = Annotated[float, typer.Option(help="Share of rejects above which the exit code is 3.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorOptions:
    """Which annotator answers, and the actors that hold it; None means: as fits this machine.

    `jobs.runs.annotator.chosen_annotator` checks the annotator, `jobs.runs.pool.planned_settings` the actors.
    """

    model: Model = "default"
    label_set: LabelSets = None
    kind: Kind = "model"
    precision: Precision = "auto"
    no_selector: NoSelector = False
    wanted: _Actors = None
    gpus_per_actor: _Gpus = None
    threads_per_actor: ThreadsPerActor = None
    memory_cap: _MemoryCap = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateConfig(ActorOptions):
    """What a user asks of a verb that annotates into a store: its actors, and the rest.

    It is checked by what is made of it (`AnnotationJob`, `PoolSettings`, `ClientSettings`), before anything starts.
    `pool` None means: start actors for this run. What follows `quiet` is no option of every such verb: `inputs` is
    empty where the verb finds them itself; `shard_records` None means about a minute of work; `feeders` None means one,
    or on a cluster what suits it; `carry_over` and `pipeline_options` are as in `AnnotationJob`.
    """

    store: StoreOption
    ray: Ray = "local"
    pool: _Pool = None
    token_budget: TokenBudget = None
    document_pass: DocumentPass = True
    max_reject_rate: _MaxRejectRate = 0.05
    wait: Wait = 0.0
    quiet: Quiet = False
    inputs: tuple[str, ...] = ()
    format_name: str | None = None
    runner: str = "FnApiRunner"
    pipeline_options: tuple[str, ...] = ()
    shard_records: int | None = None
    feeders: int | None = None
    carry_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateFilesConfig(AnnotateConfig):
    """What `bioner annotate` is told: it alone has options for the form of its inputs, the runner and the shards."""

    format_name: Format = None
    runner: Runner = "FnApiRunner"
    shard_records: ShardRecords = None
    feeders: Feeders = None
