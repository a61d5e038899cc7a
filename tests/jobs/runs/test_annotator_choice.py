"""Which annotator a command works with."""

import pickle
from dataclasses import fields, replace
from pathlib import Path

import pytest
import typer

from bioner_core.inference.annotation import NullAnnotator
from bioner_core.inference.budget import MemoryLimit
from bioner_core.labels.label_set import default_label_sets, load_label_set
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.precision import PRECISIONS
from bioner_core.models.precision_choice import choose_precision
from jobs.options.annotation import ActorOptions, ActorRange, AnnotateFilesConfig, actor_range
from jobs.runs import annotator
from jobs.runs.annotator import NULL, AnnotatorChoice, chosen_label_sets, visible_gpus
from jobs.runs.pool import memory_limit, planned_settings
from pipelines.job import AnnotationJob
from pipelines.pool.pool_settings import LOCAL


def test_the_fingerprint_is_known_without_the_annotator() -> None:
    """Catches a rerun that can never be told from a new job."""
    choice = AnnotatorChoice(label_sets=default_label_sets(), kind=NULL)
    assert choice.fingerprint() == NullAnnotator().fingerprint == choice.spec().build().fingerprint


def test_an_actor_finds_the_model_from_any_folder(
    model_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a relative path that names another model, or none, in an actor's own folder; and arguments that cannot
    be sent to it."""
    monkeypatch.chdir(model_card.parent)
    spec = AnnotatorChoice(label_sets=default_label_sets(), model=model_card.name).spec()
    assert Path(spec.arguments["model"]) == model_card
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301  our own bytes


@pytest.mark.parametrize(
    ("actors", "expected"),
    [
        (ActorOptions(wanted=ActorRange(1, 4), gpus_per_actor=0.0), MemoryLimit(None, 0.25)),
        (ActorOptions(wanted=ActorRange(1, 4), gpus_per_actor=0.5), MemoryLimit(None, 0.5)),
        (ActorOptions(wanted=ActorRange(2, 2), gpus_per_actor=1.0, memory_cap=1.5), MemoryLimit(1_500_000_000, 1.0)),
    ],
)
def test_an_actor_hears_what_memory_is_its_own(actors: ActorOptions, expected: MemoryLimit) -> None:
    """Catches four actors that each plan for the whole machine or card, and a cap that is read in bytes."""
    choice = AnnotatorChoice(label_sets=default_label_sets())
    memory = memory_limit(actors, planned_settings(actors, LOCAL))
    assert memory == expected
    assert choice.spec(memory).arguments["memory"] == expected


@pytest.mark.usefixtures("pulled_base")
def test_types_that_the_model_never_learned_are_named(
    model_card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a mistyped tag that quietly turns into a guess, and a warning for a label set that the model knows."""
    own = tmp_path / "plants.toml"
    own.write_text('name = "plants"\n[[types]]\nname = "leaf"\n[[types]]\nname = "poison"\ntag = "chemical"\n')
    AnnotatorChoice(label_sets=default_label_sets(), model=str(model_card), precision="float32").check_ready()
    assert capsys.readouterr().err == ""
    AnnotatorChoice(label_sets=(load_label_set(str(own)),), model=str(model_card)).check_ready()
    warning = capsys.readouterr().err
    assert "'plants'" in warning
    assert "trained for leaf;" in warning


@pytest.mark.usefixtures("pulled_base")
def test_the_chosen_precision_is_said_once_and_told_to_every_actor(
    model_card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches actors that choose for themselves, each by its own processor, and a choice that nobody sees."""
    choice = AnnotatorChoice(label_sets=default_label_sets(), model=str(model_card))
    choice.check_ready()
    assert f"precision {choice.precision_choice.in_words}" in capsys.readouterr().err
    assert choice.spec().arguments["precision"] in PRECISIONS
    assert choice.in_words()["precision"] in PRECISIONS


def test_another_model_setting_is_another_fingerprint(model_card: Path) -> None:
    """Catches an option that changes answers and not the fingerprint, and `auto` counted as a precision of its own."""
    label_sets = default_label_sets()
    here = choose_precision(on_gpu=visible_gpus() > 0).name
    other = next(name for name in PRECISIONS if name != here)
    by_name = AnnotatorChoice(label_sets=label_sets, model=str(model_card), precision=here)
    assert by_name.fingerprint() == AnnotatorChoice(label_sets=label_sets, model=str(model_card)).fingerprint()
    choices = [
        AnnotatorChoice(label_sets=label_sets, model=str(model_card)),
        AnnotatorChoice(label_sets=label_sets, model=str(model_card), precision=other),
        AnnotatorChoice(label_sets=label_sets, model=str(model_card), use_selector=False),
        AnnotatorChoice(label_sets=label_sets[:1], model=str(model_card)),
    ]
    assert len({choice.fingerprint() for choice in choices}) == len(choices)


def test_named_label_sets_take_the_place_of_the_default_ones() -> None:
    """Catches --label-set that adds to the default instead of replacing it."""
    assert chosen_label_sets(()) == default_label_sets()
    assert chosen_label_sets(["cmedqaner"]) == (load_label_set("cmedqaner"),)


def test_a_model_is_used_with_its_own_label_sets(model_card: Path) -> None:
    """Catches a model for six English types that is asked for Chinese symptoms because the default model is."""
    assert chosen_label_sets((), model=str(model_card)) == default_label_sets()
    write_card(replace(read_card(model_card), default_label_sets=("pubtator",)), model_card)
    assert chosen_label_sets((), model=str(model_card)) == (load_label_set("pubtator"),)
    assert chosen_label_sets(["genia"], model=str(model_card)) == (load_label_set("genia"),)


@pytest.mark.parametrize(
    ("allowed", "count"), [(None, 2), ("", 0), ("-1", 0), ("0", 1), ("0,1", 2), ("0,1,2", 2), ("GPU-a,GPU-b", 2)]
)
def test_gpus_are_those_that_this_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: str | None, count: int
) -> None:
    """Catches actors that wait for GPUs which the machine has but the job may not use."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(annotator, "_DRIVER_FOLDER", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if allowed is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    assert visible_gpus() == count


@pytest.mark.parametrize(("text", "expected"), [("3", ActorRange(1, 3)), ("2..8", ActorRange(2, 8))])
def test_the_number_of_actors_may_be_a_range(text: str, expected: ActorRange) -> None:
    """Catches work that waits for the last of many actors although a few would do, or begins with fewer than asked."""
    settings = planned_settings(ActorOptions(wanted=actor_range(text)), LOCAL)
    assert (settings.actors, settings.ready_for_work) == (expected.most, expected.least)


@pytest.mark.parametrize("text", ["0", "many", "3..2", "0..2", "..4", "1..", "1..2..3", "-1"])
def test_other_numbers_of_actors_are_refused(text: str) -> None:
    """Catches a range that is read as something else."""
    with pytest.raises(typer.BadParameter, match="actors"):
        actor_range(text)


def test_defaults_of_the_command_line_are_those_of_the_job() -> None:
    """Catches a default that is written twice (for --help imports no job) and was changed in one place."""
    of_job = {one.name: one.default for one in fields(AnnotationJob)}
    shared = {one.name: one.default for one in fields(AnnotateFilesConfig)}.items() & of_job.items()
    assert {"max_reject_rate", "runner", "format_name", "carry_over"} <= dict(shared).keys()
