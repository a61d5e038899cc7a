"""The figures of a bench of a device: JSON, a table for people, a chart; written anew after every step."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioner_core.benchmark.charts import charts_file
from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.steps import FAILED, StepResult
from bioner_core.evaluation.charts import bar_chart

JSON_FILE, TABLE_FILE, CHART_FILE = "device.json", "device.txt", "device.svg"


@dataclass(slots=True)
class DeviceBench:
    """The steps so far, in the order in which they ended."""

    settings: DeviceBenchSettings
    steps: list[StepResult] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether no step failed."""
        return all(one.outcome != FAILED for one in self.steps)

    def figures(self, part: str, name: str) -> dict[str, Any]:
        """The figures of a step; empty where it has none."""
        return next((dict(one.figures) for one in self.steps if (one.part, one.name) == (part, name)), {})

    def to_json(self) -> dict[str, Any]:
        """What matters most at the top level, every step under `steps`."""
        machine = next((dict(one.figures) for one in self.steps if one.name == "machine"), {})
        return {
            "machine": machine,
            "minutes": self.settings.minutes,
            "parts": list(self.settings.parts),
            "identical": self.figures("right", "drafted = reference, float32").get("identical"),
            "sentences_per_second": self.figures("fast", "annotator's batches").get("sentences_per_second"),
            "abstracts_per_second": self.figures("fast", "large model").get("best_abstracts_per_second"),
            "matrix_products_per_second": self.figures("fast", "matrix rate").get("flops"),
            "steps": [one.to_json() for one in self.steps],
        }

    def write(self) -> None:
        """Write the report into the output folder; each file is replaced whole."""
        folder = self.settings.output
        _replace(folder / JSON_FILE, json.dumps(self.to_json(), ensure_ascii=False, indent=1, default=str) + "\n")
        _replace(folder / TABLE_FILE, "".join(f"{line_of(one)}\n" for one in self.steps))
        _replace(folder / CHART_FILE, self.chart())

    def chart(self) -> str:
        """Sentences per second by batch size, and abstracts per second of the large model, as a whole SVG file."""
        title = "bench of a device"
        charts = [
            (name, bar_chart(name, rows, as_counts=True))
            for name, rows in (("sentences per second", self._decode_rows()), ("large model", self._large_rows()))
            if rows
        ]
        return charts_file(title, charts or [(title, bar_chart(title, [("no figures yet", (None,))]))])

    def _decode_rows(self) -> list[tuple[str, tuple[float | None, ...]]]:
        rows: list[tuple[str, tuple[float | None, ...]]] = []
        rate = self.figures("fast", "annotator's batches").get("sentences_per_second")
        if rate is not None:
            rows.append(("annotator", (rate,)))
        for step in self.steps:
            for name, one in step.figures.get("contenders", {}).items():
                rows.append((f"{name}, batch {step.figures['batch']}", (one["sentences_per_second"],)))
        return rows

    def _large_rows(self) -> list[tuple[str, tuple[float | None, ...]]]:
        batches = self.figures("fast", "large model").get("batches", [])
        return [(f"abstracts/s, batch {one['batch']}", (one["abstracts_per_second"],)) for one in batches]


def line_of(step: StepResult) -> str:
    """A step as a line of the table."""
    return f"{step.part:8} {step.name:32} {step.outcome:7} {step.seconds:7.1f} s  {step.says}"


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)
