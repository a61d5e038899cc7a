"""Options that several verbs have, so that they are named and explained alike."""

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[Path, typer.Option("--store", help="Folder of the store.", file_okay=False, show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Precision = Annotated[
    str, typer.Option(help="How the model computes: bfloat16, float32, or auto: what this processor or GPU is fast in.")
]
NoSelector = Annotated[bool, typer.Option("--no-selector", help="Accept every candidate; do not ask the selector.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for another job on the store; else stop at once.", min=0)]
