"""Steps of several batches: in one process one big batch; several processes are one with as many batches."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bioner_core.models.model_card import read_card
from bioner_core.training.batches import mixed_batches, step_batches
from bioner_core.training.corpora import build_mix
from bioner_core.training.settings import SftSettings, TrainingLoss, read_settings
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import tiny_settings, with_held_out_end, write_settings

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("loss", list(TrainingLoss))
def test_batches_of_a_step_weigh_by_their_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: TrainingLoss
) -> None:
    """Would catch a short batch whose few choices weigh as much as the many of a long one."""
    settings = tiny_settings(tmp_path, monkeypatch, gradient_accumulation=3, loss=loss, precision="float32")
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    mix = build_mix(settings, run.trainable.vocabulary)
    plan = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    batches = next(step_batches(plan, per_step=3, done_steps=0))
    assert len({run._loss.term_count(one) for one in batches}) > 1
    terms = sum(run._loss.term_count(one) for one in batches)
    for one in run.prompted(batches):
        run._backward(run.tensors_of(one), terms)
    found = [master.grad for master in run._masters.masters] + [run.trainable.model.move_rows.grad]
    run._optimizer.zero_grad()
    run._backward(run.tensors_of(*run.prompted([tuple(example for one in batches for example in one)])), terms)
    expected = [master.grad for master in run._masters.masters] + [run.trainable.model.move_rows.grad]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_a_step_takes_as_many_batches_and_counts_their_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch steps that use one batch and drop the rest, or a card that cannot be replayed."""
    settings = tiny_settings(tmp_path, monkeypatch, gradient_accumulation=2)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    run.train()
    training = read_card(tmp_path / "run").training
    assert training["batches"] == 2 * training["steps"]
    mix = build_mix(settings, run.trainable.vocabulary)
    plan = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    tokens = [sum(len(one.input_ids) for one in next(plan)) for _ in range(training["batches"])]
    assert sum(tokens) == training["tokens"]
    assert sum(tokens[:-2]) < settings.max_tokens <= sum(tokens)


def launch(settings: Path, output: Path) -> str:
    """Run `bioner train sft` in two processes that talk over gloo; what they said."""
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "jobs.main", "train", "sft"]
    done = subprocess.run(
        [sys.executable, *words, "--settings", str(settings), "--output", str(output)],
        cwd=REPOSITORY,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr + done.stdout


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="compares with a run on the CPU")
def test_two_processes_make_the_model_of_one_with_twice_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch processes that train the same batches, or that average where they should weigh."""
    # A float32 sum over two processes rounds otherwise than one over two batches, and Adam magnifies small gradients:
    # a low rate keeps the weights comparable.
    chosen = {"precision": "float32", "learning_rate": 0.002, "max_tokens": 4_000}
    own = with_held_out_end(tiny_settings(tmp_path, monkeypatch))
    settings: SftSettings = replace(own, **chosen, evaluate_steps=4)  # type: ignore[arg-type]
    said = launch(write_settings(tmp_path / "two.toml", settings), tmp_path / "two")
    single = replace(settings, gradient_accumulation=2)
    alone, _ = read_settings(write_settings(tmp_path / "one.toml", single))
    SftRun(alone, tmp_path / "one", log=lambda _: None).train()
    ours = load_file(tmp_path / "two" / "checkpoint" / "state.safetensors")
    theirs = load_file(tmp_path / "one" / "checkpoint" / "state.safetensors")
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(
            ours[name], tensor, atol=1e-4, rtol=1e-3, msg=lambda why, name=name: f"{name}: {why}"
        )
    cards = [read_card(tmp_path / name).training for name in ("one", "two")]
    assert cards[0]["batches"] == cards[1]["batches"] >= 8
    assert cards[0]["tokens"] == cards[1]["tokens"]
    assert said.count("the model is that of") == said.count("tokens in") == said.count("max_minutes") == 1
