"""The quarter of an hour on a GPU, rehearsed on a CPU as a whole: packed, carried, trained, kept, brought back."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioner_core.labels.label_set import load_label_set
from bioner_core.models.loading import load_model
from devtools import carried_base
from devtools.cross_corpus import GOLD_SETS
from devtools.file_pieces import PIECE_BYTES
from devtools.short_gpu_run import main
from tests.bioner_core.tiny_model import save_tiny_base

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
FOREIGN = ("ray", "apache_beam", "duckdb", "gguf", "pyarrow", "lxml")
WITHOUT_FOREIGN = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {FOREIGN}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
"""
RECIPE = """
base = "../shared/tiny"
max_tokens = 2_000
batch_tokens = 400
lora_rank = 4
lora_alpha = 8
checkpoint_minutes = 0.01
loader_workers = 1

[[corpora]]
file = "../shared/data/genia/train.jsonl.gz"
label_set = "genia"
"""


def write_corpora(data: Path) -> None:
    """A few sentences under the name of every corpus that is trained on or scored."""
    # Where two sets share a file, the first one's types are in it.
    sets = {name: one for one in reversed(GOLD_SETS) for name in one.files} | {"genia/train": GOLD_SETS[0]}
    for name, gold_set in sets.items():
        old_names = {new: old for old, new in gold_set.new_names.items()}
        named = gold_set.types or load_label_set(gold_set.label_set).type_names
        types = [old_names.get(one, one) for one in named]
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(data / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            for index in range(40):
                spans = [{"start": 4, "end": 9, "type": types[index % len(types)]}]
                record = {"id": str(index), "lang": "en", "text": f"The alpha {index} binds beta.", "entities": spans}
                file.write(json.dumps(record) + "\n")


@pytest.fixture
def pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny base and its corpora, packed."""
    monkeypatch.setattr(carried_base, "VARIED_PROMPTS", 20)
    base = save_tiny_base(tmp_path / "shared/tiny")
    write_corpora(tmp_path / "shared/data")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    main(["pack", str(base), "--data", "../shared/data", "--output", str(tmp_path / "pieces")])
    return tmp_path / "pieces"


def begin(pieces: Path, output: Path, **variables: str) -> subprocess.Popen[bytes]:
    """The script as it runs on a machine that has torch, transformers and peft alone."""
    bare = pieces.parent / "bare"
    bare.mkdir()
    (bare / "sitecustomize.py").write_text(WITHOUT_FOREIGN, encoding="utf-8")
    given = {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(bare),
        "WORK": str(pieces.parent / "work"),
        "RECIPE": str(pieces.parent / "recipe.toml"),
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    command = ["bash", "devtools/short_gpu_training.sh", str(pieces), str(output), "5", "1e-3"]
    return subprocess.Popen(command, cwd=CHECKOUT, env=os.environ | given, start_new_session=True)


def small_files(folder: Path) -> Iterator[Path]:
    """The files of the output folder, all of which must be small enough to be brought back."""
    for file in folder.rglob("*"):
        if file.is_file():
            assert file.stat().st_size <= PIECE_BYTES
            yield file


def test_the_whole_script_at_two_thousand_tokens(pieces: Path, tmp_path: Path) -> None:
    """Catches a step that needs what the machine there has not, and a model that does not come back whole."""
    output = tmp_path / "back"
    assert begin(pieces, output, SENTENCES="2").wait(timeout=500) == 0
    names = {str(one.relative_to(output)) for one in small_files(output)}
    assert {"models/pieces.json", "rate_1e-3.log", "scores_1e-3.txt"} <= names
    assert len((output / "scores_1e-3.txt").read_text().splitlines()) == len(GOLD_SETS)
    main(["join", str(output / "models"), "--output", str(tmp_path / "runs")])
    folder = tmp_path / "runs/models/rate_1e-3"
    assert load_model(folder).card.label_sets == ("genia",)


def test_what_was_learned_comes_back_from_a_machine_that_is_taken_away(pieces: Path, tmp_path: Path) -> None:
    """Catches minutes of a GPU that leave nothing behind because their end was cut off."""
    output = tmp_path / "back"
    running = begin(pieces, output, MAX_TOKENS="1000000000")
    kept = output / "checkpoints/rate_1e-3"
    ends = time.monotonic() + 400
    while not (kept / "pieces.json").is_file():
        assert running.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert list(small_files(output))
    main(["join", str(kept), "--output", str(tmp_path / "runs")])
    folder = tmp_path / "runs/rate_1e-3"
    assert json.loads((folder / "checkpoint/progress.json").read_text())["tokens"] > 0
    words = ["--settings", "../recipe.toml", "--output", str(folder), "--max-tokens", "1"]
    here = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    subprocess.run([sys.executable, "-m", "jobs.main", "train", "sft", *words], check=True, env=here)
    assert load_model(folder).card.label_sets == ("genia",)
