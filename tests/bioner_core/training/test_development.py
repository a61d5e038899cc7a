"""Development sets, decoding during training, and which weights become the model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.models.directory import ROWS_FILE
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.training import sft
from bioner_core.training.development import DevelopmentSet, development_sets, mean_f1
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from bioner_core.training.trainable import TrainableModel
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings, with_held_out_end, write_corpus


def with_development(settings: SftSettings, **changes: object) -> SftSettings:
    """The same settings with the last five records held out and decoded every four steps."""
    chosen: dict[str, object] = {"evaluate_steps": 4, "max_tokens": 3_000}
    return replace(with_held_out_end(settings), **(chosen | changes))  # type: ignore[arg-type]


def test_sets_are_the_held_out_records_or_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a score on sentences that were trained on, or a bound that cuts nothing."""
    settings = with_development(tiny_settings(tmp_path, monkeypatch))
    (held_out,) = development_sets(settings)
    assert [one.record_id for one in held_out.records] == ["15", "16", "17", "18", "19"]
    (bounded,) = development_sets(replace(settings, evaluate_sentences=2))
    assert bounded.records == held_out.records[:2]
    other = write_corpus(tmp_path / "development.jsonl", SENTENCES[:3])
    named = replace(settings, development={settings.corpora[0].label_set: str(other)})
    assert [one.record_id for one in development_sets(named)[0].records] == ["0", "1", "2"]


def test_two_corpora_of_one_label_set_make_one_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a label set that counts twice in the mean."""
    settings = tiny_settings(tmp_path, monkeypatch)
    own = settings.corpora[0].label_set
    other = write_corpus(tmp_path / "other.jsonl", SENTENCES)
    corpora = (CorpusMix(settings.corpora[0].file, own, held_out=1), CorpusMix(str(other), own, held_out=1))
    (found,) = development_sets(replace(settings, corpora=corpora))
    assert [one.record_id for one in found.records] == ["19", "4"]


def test_a_corpus_that_marks_some_types_is_asked_about_these(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch right mentions of a type that a corpus does not mark counted as mistakes."""
    settings = tiny_settings(tmp_path, monkeypatch)
    own = settings.corpora[0].label_set
    whole = CorpusMix(settings.corpora[0].file, own, held_out=5)
    part = CorpusMix(str(write_corpus(tmp_path / "part.jsonl", SENTENCES)), own, held_out=4, types=("BETA", "GAMMA"))
    first, second = development_sets(replace(settings, corpora=(whole, part)))
    assert (first.label_set.name, first.label_set.type_names) == ("tiny", ("ALPHA", "BETA", "GAMMA"))
    assert (second.label_set.name, second.label_set.type_names) == ("tiny: BETA, GAMMA", ("BETA", "GAMMA"))
    assert {span.type for record in second.records for span in record.spans} == {"BETA", "GAMMA"}
    assert len(second.records) == 4
    file = str(write_corpus(tmp_path / "development.jsonl", SENTENCES))
    [alone] = development_sets(replace(settings, corpora=(part,), development={own: file}))
    assert alone.label_set == second.label_set
    [both] = development_sets(replace(settings, corpora=(part, whole), development={own: file}))
    assert both.label_set == first.label_set


def test_evaluation_without_development_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an hour of training that ends with no score."""
    with pytest.raises(ConfigurationError, match="development: no file and no held-out records"):
        tiny_settings(tmp_path, monkeypatch, evaluate_steps=5)
    with pytest.raises(ConfigurationError, match=r"development: \['craft'\] are not label sets"):
        tiny_settings(tmp_path, monkeypatch, development={"craft": "x.jsonl"})
    settings = with_development(tiny_settings(tmp_path, monkeypatch))
    absent = replace(settings, development={settings.corpora[0].label_set: str(tmp_path / "absent.jsonl")})
    with pytest.raises(InputError, match=r"absent\.jsonl"):
        SftRun(absent, tmp_path / "run", log=lambda _: None)


def test_decoding_during_training_changes_nothing_that_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch gradients, caches or an attention kind that an evaluation leaves behind."""
    settings = with_development(tiny_settings(tmp_path, monkeypatch))
    rows = []
    for name, steps in (("without", 0), ("with", 2)):
        run = SftRun(replace(settings, evaluate_steps=steps), tmp_path / name, log=lambda _: None)
        run.train()
        rows.append(load_file(tmp_path / name / "checkpoint" / "state.safetensors"))
    assert rows[0].keys() == rows[1].keys()
    assert all(torch.equal(rows[0][name], rows[1][name]) for name in rows[0])


@pytest.mark.slow
def test_scores_are_logged_and_stand_in_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an F1 of something else than the model: the corpus is learned by heart, so it must be high."""
    chosen = {"max_tokens": 20_000, "learning_rate": 0.01, "lora_rank": 8, "evaluate_steps": 50}
    log: list[str] = []
    settings = with_development(tiny_settings(tmp_path, monkeypatch), **chosen)
    learned = str(write_corpus(tmp_path / "development.jsonl", SENTENCES))
    settings = replace(settings, development={settings.corpora[0].label_set: learned})
    SftRun(settings, tmp_path / "run", log=log.append).train()
    scores = [line for line in log if "development F1" in line]
    assert len(scores) >= 2
    assert "(best)" in scores[0]
    card = read_card(tmp_path / "run")
    assert card.metrics["development in training"]["f1"] > 0.8
    assert f"the model is that of {card.training['weights_of']}" == log[-1]


def scripted(scores: list[float], monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Let evaluations give these scores; the move rows that each of them saw."""
    seen: list[torch.Tensor] = []

    def score(trainable: TrainableModel, sets: list[DevelopmentSet], card: ModelCard) -> Mapping[str, float]:
        assert sets
        assert card.name == "run"
        seen.append(trainable.model.move_rows.detach().clone())
        return {"tiny": scores[len(seen) - 1]}

    monkeypatch.setattr(sft, "development_f1", score)
    return seen


def test_the_best_weights_become_the_model_and_not_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a best checkpoint that is kept and never used."""
    seen = scripted([0.3, 0.9, *[0.1] * 20], monkeypatch)
    SftRun(with_development(tiny_settings(tmp_path, monkeypatch)), tmp_path / "run", log=lambda _: None).train()
    assert len(seen) >= 3
    written = load_file(tmp_path / "run" / ROWS_FILE)["move_rows"]
    assert torch.equal(written, seen[1].to(torch.float16))
    assert not torch.equal(seen[1], seen[-1])
    assert read_card(tmp_path / "run").training["weights_of"] == "step 8"


def test_the_mean_of_checkpoints_is_the_model_or_stands_for_election(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a mean of other steps than the last, or one that replaces better weights unasked."""
    chosen = {"average_checkpoints": 2, "checkpoint_steps": 3}
    settings = with_development(tiny_settings(tmp_path, monkeypatch), evaluate_steps=0, **chosen)
    SftRun(settings, tmp_path / "mean", log=lambda _: None).train()
    files = sorted((tmp_path / "mean" / "last_checkpoints").iterdir())
    rows = [load_file(file)["move_rows"] for file in files]
    assert len(rows) == 2
    written = load_file(tmp_path / "mean" / ROWS_FILE)["move_rows"]
    torch.testing.assert_close(written.float(), (rows[0] + rows[1]) / 2, atol=1e-3, rtol=1e-3)
    assert read_card(tmp_path / "mean").training["weights_of"] == "mean of the last 2 checkpoints"
    seen = scripted([0.5] * 50, monkeypatch)
    run = SftRun(replace(settings, evaluate_steps=4), tmp_path / "run", log=lambda _: None)
    run.train()
    assert torch.allclose(seen[-1].half(), written, atol=1e-3)
    assert read_card(tmp_path / "run").training["weights_of"] == "step 4"


def test_values_of_an_earlier_run_in_the_folder_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a new run whose model is the best of a run that was thrown away."""
    settings = with_development(tiny_settings(tmp_path, monkeypatch))
    with monkeypatch.context() as patch:
        scripted([0.99] * 50, patch)
        SftRun(settings, tmp_path / "run", log=lambda _: None).train()
    for file in (tmp_path / "run" / "checkpoint").iterdir():
        file.unlink()
    (tmp_path / "run" / "checkpoint").rmdir()
    seen = scripted([0.1] * 50, monkeypatch)
    SftRun(replace(settings, seed=3), tmp_path / "run", log=lambda _: None).train()
    assert torch.equal(load_file(tmp_path / "run" / ROWS_FILE)["move_rows"], seen[0].to(torch.float16))


def test_the_mean_is_over_label_sets() -> None:
    """Would catch a big label set that drowns a small one."""
    assert mean_f1({"a": 0.2, "b": 0.6}) == pytest.approx(0.4)
