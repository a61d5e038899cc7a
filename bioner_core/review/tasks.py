"""Items for a curator's tool: tasks of Label Studio with what the model found, or a brat folder."""

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bioner_core
from bioner_core.export.brat import export_brat
from bioner_core.export.provenance import Provenance, Selection, Tally
from bioner_core.gold.label_studio import LABELS, TEXT_FIELD
from bioner_core.mentions import Mention
from bioner_core.review.item import ReviewItem
from bioner_core.store.atomic import write_text

CONTROL = "label"
"""What the labels are called in Label Studio's configuration, which results of annotators name again."""


def write_tasks(items: Sequence[ReviewItem], output: Path) -> None:
    """Write tasks for Label Studio's import; the model's mentions are predictions, which an annotator corrects.

    Raises:
        StoreError: the file cannot be written.
    """
    tasks = [_task(item, number) for number, item in enumerate(items, start=1)]
    write_text(output, json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")


def write_configuration(types: Iterable[str], output: Path) -> None:
    """Write the labelling configuration that a project for these tasks needs.

    Raises:
        StoreError: the file cannot be written.
    """
    labels = "".join(f'    <Label value="{html.escape(one)}"/>\n' for one in sorted(set(types)))
    text = f'  <Text name="{TEXT_FIELD}" value="${TEXT_FIELD}"/>\n'
    write_text(
        output, f'<View>\n  <Labels name="{CONTROL}" toName="{TEXT_FIELD}">\n{labels}  </Labels>\n{text}</View>\n'
    )


def write_brat(items: Sequence[ReviewItem], output: Path, *, origin: str) -> int:
    """Write a brat folder with the model's mentions; returns how many characters its lines cannot hold.

    Raises:
        ConfigurationError: `output` is there and not an empty folder.
        StoreError: it cannot be written.
    """
    tally = Tally()
    provenance = Provenance(origin, "", bioner_core.__version__, Selection())
    export_brat((one.as_found() for one in items), output, provenance=provenance, tally=tally)
    return tally.replaced_characters


def _task(item: ReviewItem, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "data": {
            "id": item.item_id,
            TEXT_FIELD: item.text,
            "lang": item.lang,
            "doc_id": item.document.doc_id,
            "reason": item.reason,
        },
        "predictions": [
            {
                "model_version": item.fingerprint,
                "score": min((one.selector_score for one in item.accepted), default=0.0),
                "result": [_result(one, index) for index, one in enumerate(item.accepted)],
            }
        ],
    }


def _result(mention: Mention, index: int) -> dict[str, Any]:
    value = {"start": mention.start, "end": mention.end, "text": mention.text, LABELS: [mention.type]}
    shared = {"id": f"m{index}", "from_name": CONTROL, "to_name": TEXT_FIELD, "type": LABELS}
    return {**shared, "score": mention.selector_score, "value": value}
