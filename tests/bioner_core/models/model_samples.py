"""A model directory as far as its files go: a card and weight files without a network in them."""

from pathlib import Path

from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE
from bioner_core.models.model_card import ModelCard, write_card
from bioner_core.tagging.scheme import TagScheme

CARD = ModelCard(
    name="sample",
    base="smollm2-135m-instruct",
    base_sha256="0" * 64,
    base_licence="Apache-2.0",
    scheme=TagScheme.LINES,
    prompt_version="1",
    tags=("DNA", "protein"),
    characters='病"\\\u3000\ufeff\u0301',
    label_sets=("genia",),
    thresholds={"genia": 0.25},
    tag_thresholds={"genia": 1.75},
    training={"seed": 13, "corpora": ["genia/train.jsonl.gz"]},
    int8={"genia test": {"f1_lost": -0.7, "mentions_changed": 0.042}},
    metrics={"genia": {"f1": 0.5}},
)


def write_sample(folder: Path, card: ModelCard = CARD) -> Path:
    """Write a model directory with made-up weight files."""
    (folder / ADAPTER_FOLDER).mkdir(parents=True)
    (folder / ROWS_FILE).write_bytes(b"rows")
    (folder / ADAPTER_FOLDER / "adapter_model.safetensors").write_bytes(b"adapter")
    (folder / ADAPTER_FOLDER / "adapter_config.json").write_text('{"lora_alpha": 64}', encoding="utf-8")
    write_card(card, folder)
    return folder
