"""Gradient checkpointing: the same loss and gradients, with layers that run twice."""

from pathlib import Path

import pytest
import torch
from torch import nn

from bioner_core.errors import ConfigurationError
from bioner_core.mentions import Span
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.loss import LegalMoveLoss, recomputed_layers, training_batch
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import tiny_model
from tests.bioner_core.training.training_samples import SENTENCES, builder_of, prompt_of, tiny_settings


def test_recomputed_layers_give_the_same_gradients() -> None:
    """Would catch a prompt that is dropped, or keys that are stored twice when a layer runs again."""
    builder, prefix = builder_of(TagScheme.INLINE), prompt_of(TagScheme.INLINE).prefix
    examples = [
        one for text, spans in SENTENCES for one in builder.examples(text, frozenset(Span(*span) for span in spans))
    ]
    batch = training_batch(examples, prefix=prefix, open_rows=(0, 1, 2))
    gradients, losses = [], []
    for recompute in (False, True):
        model = tiny_model(3)
        parts = LegalMoveLoss(model, recompute=recompute)(batch)
        parts.loss.backward()
        losses.append(float(parts.loss.detach()))
        gradients.append({name: one.grad for name, one in model.named_parameters()})
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-5, rtol=1e-4)


def test_each_layer_runs_once_more_in_the_backward_pass() -> None:
    """Would catch a setting that saves no memory because nothing is recomputed."""
    model = tiny_model()
    runs: list[int] = []
    for layer in model.backbone.layers:  # type: ignore[union-attr]
        layer.mlp.register_forward_pre_hook(lambda *_: runs.append(1))
    builder = builder_of(TagScheme.INLINE)
    batch = training_batch(builder.examples("alpha", frozenset()), prefix=(1,), open_rows=(0, 1, 2))
    loss = LegalMoveLoss(model, recompute=True)(batch).loss
    forward = len(runs)
    loss.backward()
    assert len(runs) - forward == 3
    assert all("forward" not in vars(layer) for layer in model.backbone.layers)  # type: ignore[union-attr]


def test_an_architecture_without_such_layers_is_refused() -> None:
    """Would catch a run that keeps everything in memory though it was told not to."""
    with pytest.raises(ConfigurationError, match="gradient_checkpointing"), recomputed_layers(nn.Linear(1, 1)):
        pass


def test_a_whole_run_with_it_is_the_run_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a setting that changes what is learned."""
    rows = []
    for name, recompute in (("plain", False), ("recomputed", True)):
        chosen = {"gradient_checkpointing": recompute, "precision": "float32"}
        run = SftRun(tiny_settings(tmp_path, monkeypatch, **chosen), tmp_path / name, log=lambda _: None)
        run.train()
        rows.append(run.trainable.model.move_rows.detach())
    torch.testing.assert_close(rows[0], rows[1], atol=1e-4, rtol=1e-3)
