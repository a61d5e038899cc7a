"""Options of every verb that annotates, so that they are named and explained alike."""

from typing import Annotated

import typer

Format = Annotated[str | None, typer.Option("--format", help="Format of all inputs; else found from their content.")]
Model = Annotated[str, typer.Option(help="'default', or the folder of a model.")]
LabelSets = Annotated[
    list[str] | None,
    typer.Option("--label-set", help="Name or TOML file of a label set; may be given often. Else the default ones."),
]
Kind = Annotated[str, typer.Option("--annotator", help="model, or null: finds nothing, to try the rest.")]
Actors = Annotated[int | None, typer.Option(help="Actors, each with a model. Else one a GPU, or one without GPU.")]
Gpus = Annotated[float | None, typer.Option(help="GPUs of each actor, may be below 1. Else 1 where there are GPUs.")]
ThreadsPerActor = Annotated[int | None, typer.Option(help="Threads of each actor; else the processors shared out.")]
Ray = Annotated[str, typer.Option(help="'local' starts Ray on this machine; HOST:PORT joins a cluster.")]
Pool = Annotated[
    str | None, typer.Option(help="Name of a pool that runs already (`bioner pool start`); else start actors.")
]
Runner = Annotated[str, typer.Option(help="Beam runner; its options follow a lone --.")]
ShardRecords = Annotated[int, typer.Option(help="Records in a shard of an input that is new to the store.")]
MaxRejectRate = Annotated[float, typer.Option(help="Share of rejects above which the exit code is 3.")]
TokenBudget = Annotated[
    int | None, typer.Option(help="Estimated tokens in a batch, padding included. Else as fits the actors' memory.")
]
MemoryCap = Annotated[
    float | None,
    typer.Option(help="GB (10^9 bytes) that an actor's batches may take beside its model. Else half of what is free."),
]
