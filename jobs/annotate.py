"""`bioner annotate`: dumps to nested mentions in Parquet."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import only_results_on_stdout, print_result, warn
from jobs.options import Json, NoSelector, Precision, Quiet, Store

if TYPE_CHECKING:
    from pipelines.summary import JobSummary

EXAMPLE = """
Annotate literature dumps and commit the mentions to a store, shard by shard. A rerun skips what is committed.

Example: bioner annotate pubmed26n0001.xml.gz 'cnki/*.txt' --store my-store

What follows a lone -- goes to Beam as it is: bioner annotate in.xml --store s --runner FlinkRunner -- --parallelism=4

Exit codes: 0 all committed, 1 something failed, 2 wrong usage, 3 more rejects than allowed.
"""


def annotate(
    context: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs or URLs.", show_default=False)],
    store: Store,
    format_name: Annotated[
        str | None, typer.Option("--format", help="Format of all inputs; found from their content if not given.")
    ] = None,
    model: Annotated[str, typer.Option(help="'default', or the folder of a model.")] = "default",
    label_set: Annotated[
        list[str] | None,
        typer.Option("--label-set", help="Name or TOML file of a label set; may be given often. [default: those of ...]"),
    ] = None,
    annotator: Annotated[str, typer.Option(help="model, or null: finds nothing, for trials of the path.")] = "model",
    precision: Precision = "bfloat16",
    no_selector: NoSelector = False,
    actors: Annotated[
        int | None, typer.Option(help="How many actors, each with a model. [default: one a GPU, or one]")
    ] = None,
    gpus_per_actor: Annotated[
        float | None, typer.Option(help="GPUs of each actor, may be a fraction. [default: 1 where there are GPUs]")
    ] = None,
    ray: Annotated[str, typer.Option(help="'local' starts Ray here; HOST:PORT joins a cluster.")] = "local",
    runner: Annotated[str, typer.Option(help="Beam runner; its options follow a lone --.")] = "FnApiRunner",
    shard_records: Annotated[int, typer.Option(help="Records in a shard, for inputs not seen before.")] = 200,
    max_reject_rate: Annotated[float, typer.Option(help="Share of rejects above which the exit code is 3.")] = 0.05,
    token_budget: Annotated[int, typer.Option(help="Estimated tokens in a batch, padding included.")] = 4096,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Annotate literature dumps."""
    from jobs.annotation_run import AnnotationWishes, annotate, did_nothing
    from jobs.annotator_choice import AnnotatorChoice, chosen_label_sets

    with only_results_on_stdout():
        summary = annotate(
            AnnotationWishes(
                inputs=tuple(inputs),
                store=store,
                annotator=AnnotatorChoice(
                    label_sets=chosen_label_sets(label_set or ()),
                    kind=annotator,
                    model=model,
                    precision=precision,
                    use_selector=not no_selector,
                ),
                format_name=format_name,
                actors=actors,
                gpus_per_actor=gpus_per_actor,
                ray_address=ray,
                runner=runner,
                pipeline_options=tuple(context.obj or ()),
                shard_records=shard_records,
                max_reject_rate=max_reject_rate,
                token_budget=token_budget,
                quiet=quiet,
            )
        )
