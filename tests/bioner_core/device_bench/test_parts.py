"""The real parts, on the CPU at tiny sizes, in a process that can import torch and its like alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bioner_core.device_bench.sample_sentences import sample_records, unmarked
from bioner_core.labels.label_set import load_label_set

FOREIGN = ("ray", "apache_beam", "duckdb", "gguf", "smart_open", "pyarrow", "lxml")

PROGRAM = """
import sys, time
from pathlib import Path

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {foreign}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import jobs.commands.bench
from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.parts import core_steps, run_parts

settings = DeviceBenchSettings(
    minutes=9, output=Path("."), parts=("right", "fast", "trains"), model="stand-in", device="cpu"
)
run_parts(settings, Path({journal!r}), time.time() + 540, (), core_steps)
"""


@pytest.mark.slow
def test_right_fast_and_trains_need_torch_and_transformers_alone(tmp_path: Path) -> None:
    """Would catch a part that cannot run where Ray and Beam are not installed, and a step that fails anywhere."""
    journal = tmp_path / "steps.jsonl"
    program = PROGRAM.format(foreign=set(FOREIGN), journal=str(journal))
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    steps = [one for one in entries if "outcome" in one]
    assert [(one["name"], one["says"]) for one in steps if one["outcome"] == "failed"] == []
    skipped = {one["name"] for one in steps if one["outcome"] == "skipped"}
    assert skipped - {"QLoRA on the large shape, 400 tokens per batch"} == {"device = CPU, float32"}
    figures = {one["name"]: one["figures"] for one in steps}
    assert figures["drafted = reference, float32"]["identical"] == 1.0
    assert figures["out of memory"]["identical"] == 1.0
    assert figures["out of memory"]["errors"] > 0
    assert figures["fatal error"]["lost"] == 1
    assert figures["fatal error"]["identical"] == 1.0
    assert figures["annotator's batches"]["sentences_per_second"] > 0
    assert figures["large model"]["best_abstracts_per_second"] > 0
    slow = next(one for one in figures["large model"]["batches"] if one["batch"] == 1)
    assert {"floor", "drafted", "reference", "generate"} <= set(slow["contenders"])
    assert "milliseconds" in figures["attention kernels"]["drafted_pass"]["math"]
    assert "milliseconds" in figures["fixed shapes, compiled"]["2 rows of 16"]["torch.compile"]
    assert figures["fixed shapes, compiled"]["2 rows of 16"]["CUDA graph"] == {"skipped": "needs CUDA"}
    assert {name for name in figures if name.startswith("decode")} == {"decode, batch 1", "decode, batch 4"}


def test_sample_sentences_have_the_types_of_their_label_set() -> None:
    """Would catch samples that the bench's label set cannot mark, doubles, and samples that change between runs."""
    records = sample_records(200)
    assert {span.type for one in records for span in one.spans} == set(load_label_set("genia").type_names)
    assert len({one.text for one in records}) == len(records)
    assert records == sample_records(200)
    assert all("<" not in one.text.replace("(P < 0.01)", "") for one in records)


def test_marks_may_stand_inside_each_other() -> None:
    """Would catch spans that are off by the marks around them."""
    text, spans = unmarked("a <DNA:<protein:IL-2> promoter> here (P < 0.01)")
    assert text == "a IL-2 promoter here (P < 0.01)"
    assert {(text[one.start : one.end], one.type) for one in spans} == {("IL-2", "protein"), ("IL-2 promoter", "DNA")}
