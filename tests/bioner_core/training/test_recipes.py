"""The recipes that ship: each is valid, and each ablation differs from the baseline in what its name says."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bioner_core.evaluation.corpora import read_corpus
from bioner_core.labels.label_set import load_label_set
from bioner_core.training import settings as settings_module
from bioner_core.training.ablations import read_ablations
from bioner_core.training.selector_settings import read_selector_settings
from bioner_core.training.settings import CorpusMix, SftSettings, TrainingLoss, Tuning, read_settings

REPOSITORY = Path(__file__).resolve().parents[3]
RECIPES = Path(settings_module.__file__).parent / "recipes"
SFT_RECIPES = sorted(path for path in RECIPES.rglob("*.toml") if "selector" not in path.stem)
LABEL_SETS = {
    "biored": "pubtator",
    "tmvar3": "pubtator",
    "s800": "species",
    "nlm_gene": "gene_families",
    "gnormplus": "gene_families",
    "bioid": "cell_lines",
}
RECORDS = {"genia": 15038, "bc5cdr": 480, "biored": 286, "s800": 639, "nlm_gene": 409}
RECORDS |= {"gnormplus": 424, "tmvar3": 297, "cmeee": 15000, "cmedqaner": 1673, "cehrner": 914}
SILVER, WORDNET = "runs/silver/", "runs/wordnet/"
LEAST_DOCUMENT = 60
HELD_OUT = {"cmeee": 500, "s800": 40, "nlm_gene": 30, "bioid": 300}
CHANGES = {
    "joint": set(),
    "lines": {"scheme"},
    "genia_only": {"corpora", "development"},
    "cmeee_only": {"corpora", "development"},
    "english_only": {"corpora", "development"},
    "chinese_only": {"corpora", "development"},
    "language_model_loss": {"loss"},
}


def recipe(name: str) -> SftSettings:
    """A recipe's settings."""
    return read_settings(RECIPES / f"{name}.toml")[0]


def test_every_recipe_has_its_place_in_the_table() -> None:
    """Would catch a recipe that no reader of the page learns of, and a row of one that is gone."""
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1] for line in page.partition("## What is held out")[0].splitlines() if line.startswith("| `")
    ]
    named = {name for row in rows for name in re.findall(r"`(\w+\.toml)`", row)}
    assert named == {path.name for path in RECIPES.glob("*.toml")}


@pytest.mark.parametrize("path", SFT_RECIPES, ids=lambda path: path.stem)
def test_recipes_are_valid_and_never_train_on_development_data(path: Path) -> None:
    """Would catch a recipe that the code has outgrown, or scores on sentences that were trained on."""
    settings, _ = read_settings(path)
    for corpus in gold_corpora(settings):
        label_set = load_label_set(corpus.label_set)
        assert label_set.name == corpus.label_set
        assert set(corpus.types) <= set(label_set.type_names)
        name = corpus_name(corpus)
        assert corpus.file == f"../shared/data/{name}/train.jsonl.gz"
        assert LABEL_SETS.get(name, name) == corpus.label_set
        assert corpus.held_out >= HELD_OUT.get(name, 0)
    for name, file in settings.development.items():
        assert file in {f"../shared/data/{one}/dev.jsonl.gz" for one in ("biored", name)}
        assert name != "cmeee"


def gold_corpora(settings: SftSettings) -> list[CorpusMix]:
    """The corpora of a recipe that people have marked."""
    return [one for one in settings.corpora if not one.file.startswith((SILVER, WORDNET))]


def corpus_name(corpus: CorpusMix) -> str:
    """The folder that a corpus lies in."""
    return Path(corpus.file).parent.name


@pytest.mark.parametrize("path", SFT_RECIPES, ids=lambda path: path.stem)
def test_silver_is_made_of_texts_that_are_trained_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch words that mark a text for judging, or one that is held out, and a list that is not there."""
    monkeypatch.chdir(REPOSITORY)
    settings, _ = read_settings(path)
    for corpus in settings.corpora:
        if corpus.file.startswith(SILVER):
            assert Path(corpus.label_set).stem == Path(corpus.file).stem
            assert load_label_set(corpus.label_set).name == f"silver_{Path(corpus.file).stem}"
    held_out = {corpus_name(one): one.held_out for one in gold_corpora(settings)}
    for name, part, count in re.findall(r"\$D/(\w+)/(\w+)\.jsonl\.gz:(\d+)", path.read_text()):
        assert part == "train"
        assert int(count) + held_out[name] <= RECORDS[name]


def test_the_unseen_corpora_stay_unseen() -> None:
    """Would catch a recipe that trains on what the model is judged by as unseen."""
    mixes = [corpus for path in SFT_RECIPES for corpus in gold_corpora(read_settings(path)[0])]
    assert not {corpus_name(corpus) for corpus in mixes} & {"craft", "linnaeus", "cmdd", "cmeee_v2"}


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*selector*.toml")), ids=lambda path: path.stem)
def test_selectors_are_fitted_on_development_data_alone(path: Path) -> None:
    """Would catch thresholds that are fitted on test sets or on unseen corpora, and types that a label set has not."""
    settings = read_selector_settings(path)
    corpora = {corpus_name(one): one for one in recipe(Path(settings.sft_settings).stem).corpora}
    for file in (*settings.development.values(), *(one.file for one in settings.other_text)):
        assert Path(file).name == "dev.jsonl.gz"
        assert Path(file).parent.name in corpora
        assert Path(file).parent.name != "cmeee"
    for one in settings.other_text:
        assert set(one.types) <= set(load_label_set(one.label_set).type_names)
        assert set(one.new_names.values()) <= set(one.types)
        assert one.label_set in {each.label_set for each in corpora.values()}


@pytest.mark.slow
def test_no_document_is_in_a_training_file_and_in_a_file_for_judging(shared_folder: Path) -> None:
    """Would catch a document that one corpus trains on and another is judged by, whatever it is called there."""
    trained = {corpus_name(corpus) for path in SFT_RECIPES for corpus in gold_corpora(read_settings(path)[0])}
    training = {text for name in trained for text in texts_of(shared_folder / "data" / name / "train.jsonl.gz")}
    for file in sorted((shared_folder / "data").glob("*/*.jsonl.gz")):
        # Six sentences of GENIA's test file also occur in its training file, as published.
        allowed = 6 if file.parent.name == "genia" else 0
        if "train" not in file.name:
            assert len(training & set(texts_of(file))) <= allowed, file


def texts_of(file: Path) -> Iterator[str]:
    """The texts of a gold corpus, without their white space; short ones, which anyone may write, are no documents."""
    for record in read_corpus(file):
        text = "".join(record.text.split())
        if len(text) >= LEAST_DOCUMENT:
            yield text


def test_ablations_differ_from_the_baseline_in_one_thing() -> None:
    """Would catch a comparison in which a second setting crept in."""
    found = {one.name: one for one in read_ablations(RECIPES / "ablations")}
    assert found.keys() == CHANGES.keys()
    baseline = asdict(found["joint"].settings)
    for name, one in found.items():
        own = asdict(one.settings)
        assert {field for field in own if own[field] != baseline[field]} == CHANGES[name], name
        assert one.about
        assert one.settings.development.keys() == {mix.label_set for mix in one.settings.corpora} - {"cmeee"}
        assert set(one.settings.corpora) <= set(found["joint"].settings.corpora)
        assert not one.settings.start_model


def test_the_baseline_is_the_mix_of_the_default_model() -> None:
    """Would catch ablations of a model that is not the one that ships."""
    joint, default = recipe("ablations/joint"), recipe("default_cpu")
    same = ("base", "corpora", "scheme", "loss", "tuning", "learning_rate", "batch_tokens", "lora_rank", "seed")
    assert all(getattr(joint, name) == getattr(default, name) for name in same)
    assert joint.max_tokens == 120_000


@pytest.mark.parametrize("name", ["glm4_9b_qlora", "qwen3_8b_qlora"])
def test_large_models_are_tuned_as_in_the_paper(name: str) -> None:
    """Would catch a recipe that names the paper and does something else."""
    found = recipe(name)
    assert (found.tuning, found.lora_rank, found.lora_alpha) == (Tuning.QLORA, 64, 16)
    assert found.learning_rate == 2e-4
    assert found.loss is TrainingLoss.LEGAL_MOVES
    assert found.gradient_checkpointing
    assert all(corpus.weight is None for corpus in found.corpora)
