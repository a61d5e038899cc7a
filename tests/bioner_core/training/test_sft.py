"""A whole fine-tuning run, in small: it learns, resumes, and saves a model that loads and decodes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import read_card
from bioner_core.models.model_files import row_names
from bioner_core.models.tag_choice import free_tags, is_free
from bioner_core.tagging.moves import spans_of
from bioner_core.tagging.render import text_spans
from bioner_core.tagging.scheme import TagScheme
from bioner_core.text.units import split_units
from bioner_core.training.corpora import frequent_characters, tags_of, training_records
from bioner_core.training.loss import LossParts
from bioner_core.training.optimization import rate_factor
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from bioner_core.training.step_loader import PreparedStep
from tests.bioner_core.tiny_model import TYPES
from tests.bioner_core.training.training_samples import SENTENCES, tiny_settings, write_corpus

TEXTS = [text for text, _ in SENTENCES]


def train(settings: SftSettings, output: Path, run_class: type[SftRun] = SftRun) -> list[str]:
    """Run to the end; the lines of the log."""
    log: list[str] = []
    run_class(settings, output, log=log.append).train()
    return log


def trained_tensors(output: Path) -> dict[str, Tensor]:
    """All tensors that a run has written into its model directory."""
    files = (output / ROWS_FILE, output / ADAPTER_FOLDER / "adapter_model.safetensors")
    return {f"{file.name}:{name}": tensor for file in files for name, tensor in load_file(file).items()}


def rows_and_tokens(loaded: LoadedModel, own: Path) -> tuple[list[DecodingRow], LabelSetTokens]:
    """The texts of the corpus as rows for a decoder."""
    prepared = prepare_label_set(load_label_set(str(own)), loaded)
    rows = [
        DecodingRow(tuple(loaded.vocabulary.unit_ids(text)), separator, types)
        for text in TEXTS
        for separator, types in zip(prepared.separators, prepared.line_types, strict=True)
    ]
    return rows, prepared.tokens


def found_spans(decoded: Sequence[DecodedRow], names: Sequence[str]) -> list[set[tuple[int, int, str]]]:
    """The spans of each text, by an inline decode."""
    found = []
    for text, row in zip(TEXTS, decoded, strict=True):
        units = split_units(text)
        spans = text_spans(spans_of(row.moves, len(units)), units, type_names=names)
        found.append({(span.start, span.end, span.type) for span in spans})
    return found


class KilledRun(SftRun):
    """Dies in the middle of its fourth step."""

    def _step(self, step: PreparedStep) -> list[LossParts]:
        if self.progress.steps == 3:
            raise KeyboardInterrupt
        return super()._step(step)


class WatchedRun(SftRun):
    """Notes each step's tokens, and its learning rates beside those that the schedule asks for."""

    def _step(self, step: PreparedStep) -> list[LossParts]:
        factor = rate_factor(self.share_done, self.settings)
        parts = super()._step(step)
        self.seen_tokens = getattr(self, "seen_tokens", 0) + sum(int(one.mask.sum()) for one in step.batches)
        for group in self._optimizer.param_groups:
            assert group["lr"] == pytest.approx(group["peak"] * factor)
        return parts


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, its base, and a model in `run` that was trained until it knows the corpus by heart."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        settings = tiny_settings(folder, patch, max_tokens=40_000, learning_rate=0.01, lora_rank=8, warmup_share=0.1)
        log = train(settings, folder / "run")
    assert any("loss" in line for line in log)
    return folder


@pytest.fixture
def loaded(learned: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """The learned model in float32."""
    tiny_settings(learned, monkeypatch)
    return load_model(learned / "run", device="cpu", precision="float32")


def test_a_run_learns_its_corpus_by_heart(learned: Path, loaded: LoadedModel) -> None:
    """Would catch a loss and a decoder that do not look at the same thing: training falls, decoding stays wrong."""
    rows, tokens = rows_and_tokens(loaded, learned / "own.toml")
    found = found_spans(ReferenceDecoder(loaded.network).decode(rows, tokens), [one.upper() for one in TYPES])
    assert found == [set(spans) for _, spans in SENTENCES]


def test_gold_that_is_not_trained_on_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a log that is silent about gold which the examples leave out, or that speaks where nothing is lost."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=1)
    assert not [line for line in train(settings, tmp_path / "whole") if "not trained on" in line]
    write_corpus(tmp_path / "corpus.jsonl", (*SENTENCES, ("A word", ((0, 1, "ALPHA"), (3, 6, "BETA"), (2, 6, "X")))))
    (line,) = (line for line in train(settings, tmp_path / "run") if "not trained on" in line)
    assert "2 of 11 gold mentions: 1 of types that are not asked for, 1 with an edge inside a word" in line


def test_a_saved_model_decodes_the_same_with_both_decoders(learned: Path, loaded: LoadedModel) -> None:
    """Would catch a loaded model on which the drafted decoder differs from the reference in float32."""
    rows, tokens = rows_and_tokens(loaded, learned / "own.toml")
    reference = ReferenceDecoder(loaded.network).decode(rows, tokens)
    drafted = DraftedDecoder(loaded.network).decode(rows, tokens)
    assert [row.moves for row in drafted] == [row.moves for row in reference]


def test_a_loaded_model_is_the_trained_one(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an adapter that is not merged, rows of another model, or characters in another order."""
    run = SftRun(tiny_settings(learned, monkeypatch, lora_rank=8), learned / "run", log=lambda _: None)
    loaded = load_model(learned / "run", device="cpu", precision="float32")
    assert loaded.vocabulary.characters == run.trainable.vocabulary.characters
    ids = torch.tensor([[5, 257, 260, 40]])
    given = {"attention_mask": torch.ones_like(ids), "position_ids": torch.arange(4)[None], "cache": None}
    with torch.no_grad():
        ours, theirs = loaded.network(ids, **given), run.trainable.model(ids, **given)
    assert float(torch.nn.functional.cosine_similarity(ours, theirs.float(), dim=-1).min()) > 0.99


def test_no_path_of_this_machine_is_in_the_model_directory(learned: Path) -> None:
    """Would catch a model that names the folders of whoever trained it, and does not load elsewhere."""
    for file in (learned / "run").rglob("*"):
        if file.is_file():
            assert str(learned).encode() not in file.read_bytes(), file.name
    assert not (learned / "run" / ADAPTER_FOLDER / "README.md").exists()


def test_the_card_says_what_was_trained(learned: Path) -> None:
    """Would catch a model that nobody can trace back to its data."""
    card = read_card(learned / "run")
    assert (card.name, card.base, card.base_sha256, card.base_licence) == ("run", "tiny", "7" * 64, "none")
    assert card.tags == (*TYPES, *free_tags())
    assert (card.definition_rank, card.meanings.keys()) == (8, set(TYPES))
    assert card.label_sets == ("tiny",)
    assert set(card.characters) == {char for text in TEXTS for char in text if not char.isascii()}
    assert card.training["corpora"] == [f"{learned.name}/corpus.jsonl"]
    assert card.training["tokens"] >= 40_000


def test_a_killed_and_resumed_run_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an optimizer, a plan or a rate that starts anew after a kill."""
    settings = tiny_settings(tmp_path, monkeypatch)
    train(settings, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "killed", KilledRun)
    assert not (tmp_path / "killed" / ROWS_FILE).exists()
    resumed = SftRun(settings, tmp_path / "killed", log=lambda _: None)
    assert resumed.progress.steps == 2
    resumed.train()
    whole, killed = trained_tensors(tmp_path / "whole"), trained_tensors(tmp_path / "killed")
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    first, second = read_card(tmp_path / "whole").training, read_card(tmp_path / "killed").training
    assert (first["steps"], first["tokens"]) == (second["steps"], second["tokens"])
    assert first["steps"] >= 4


def test_steps_follow_the_schedule_and_count_their_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a learning rate that never falls, or a budget that padding uses up."""
    run = WatchedRun(tiny_settings(tmp_path, monkeypatch), tmp_path / "run", log=lambda _: None)
    run.train()
    assert run.progress.tokens == run.seen_tokens >= 1_500
    peaks = [group["peak"] for group in run._optimizer.param_groups]
    assert peaks == pytest.approx([0.02, 0.02, 0.06, 0.02])


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch one odd batch that throws the model off."""
    run = SftRun(tiny_settings(tmp_path, monkeypatch, gradient_clip=1e-13), tmp_path / "run", log=lambda _: None)
    before = run.trainable.model.move_rows.detach().clone()
    run.train()
    assert float((run.trainable.model.move_rows - before).detach().abs().max()) < 1e-4


def test_a_finished_run_does_not_train_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a rerun that goes past its budget."""
    settings = tiny_settings(tmp_path, monkeypatch)
    train(settings, tmp_path / "run")
    before, steps = trained_tensors(tmp_path / "run"), read_card(tmp_path / "run").training["steps"]
    train(settings, tmp_path / "run")
    after = trained_tensors(tmp_path / "run")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert read_card(tmp_path / "run").training["steps"] == steps


def test_only_adapters_and_rows_are_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a base that is changed but not saved, or an adapter or row that never learns."""
    settings = tiny_settings(tmp_path, monkeypatch)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    before = {name: value.detach().clone() for name, value in run.trainable.model.named_parameters()}
    run.train()
    for name, value in run.trainable.model.named_parameters():
        is_trained = "lora_" in name or name in row_names(run.trainable.model)
        assert torch.equal(before[name], value) != is_trained, name


def test_a_run_with_lines_trains_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a scheme that only decoding knows."""
    settings = tiny_settings(tmp_path, monkeypatch, scheme=TagScheme.LINES)
    log = train(settings, tmp_path / "run")
    assert log[1].startswith(f"corpus tiny: {len(SENTENCES) * 4 * len(TYPES)} examples")
    loaded = load_model(tmp_path / "run", device="cpu", precision="float32")
    rows, tokens = rows_and_tokens(loaded, tmp_path / "own.toml")
    decoded = DraftedDecoder(loaded.network).decode(rows, tokens)
    assert len(decoded) == len(TEXTS) * len(TYPES)


@pytest.mark.parametrize(
    "name", [ROWS_FILE, f"{ADAPTER_FOLDER}/adapter_model.safetensors", f"{ADAPTER_FOLDER}/adapter_config.json"]
)
@pytest.mark.parametrize("content", [None, b"short"])
def test_a_missing_or_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: Path, name: str, content: bytes | None
) -> None:
    """Would catch a traceback, a look at the network, or a model that answers with half of its weights."""
    copy_model(learned, tmp_path, monkeypatch)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=Path(name).name.split("_")[0]):
        load_model(tmp_path, device="cpu")


def copy_model(learned: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The learned model's directory once more, to be damaged; its base is found again."""
    tiny_settings(learned, monkeypatch)
    for file in (learned / "run").rglob("*.*"):
        if file.is_file() and "checkpoint" not in file.parts:
            copy = folder / file.relative_to(learned / "run")
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(file.read_bytes())


@pytest.mark.parametrize("change", ["half is missing", "other names", "one too many"])
def test_an_adapter_of_other_tensors_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: Path, change: str
) -> None:
    """Would catch the answers of the bare base, or of half an adapter, after no more than a warning of peft's."""
    copy_model(learned, tmp_path, monkeypatch)
    file = tmp_path / ADAPTER_FOLDER / "adapter_model.safetensors"
    tensors = load_file(file)
    if change == "half is missing":
        tensors = {name: tensors[name] for name in sorted(tensors)[: len(tensors) // 2]}
    elif change == "other names":
        tensors = {name.replace("layers", "blocks"): value for name, value in tensors.items()}
    else:
        tensors["stranger"] = torch.zeros(1)
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors: other tensors than adapter_config\.json"):
        load_model(tmp_path, device="cpu")


def test_a_model_of_another_prompt_base_or_precision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: Path
) -> None:
    """Would catch a model that runs with what it was not trained on, and answers badly without a word."""
    tiny_settings(learned, monkeypatch)
    card = (learned / "run" / "model.toml").read_text(encoding="utf-8")
    for old, new, said in [
        ('prompt_version = "2"', 'prompt_version = "0"', "prompt version 0"),
        ("7" * 64, "8" * 64, "was trained on a base with digest 8888"),
        ('base = "tiny"', 'base = "nosuch"', "nosuch"),
    ]:
        assert old in card
        (tmp_path / "model.toml").write_text(card.replace(old, new), encoding="utf-8")
        with pytest.raises(ModelError, match=said):
            load_model(tmp_path, device="cpu")
    with pytest.raises(ConfigurationError, match=r"precision: 'int3'; choose from auto, bfloat16, float32"):
        load_model(learned / "run", precision="int3")


def test_held_out_records_are_never_trained_on(tmp_path: Path) -> None:
    """Would catch a development set that leaks into training, or a tail that wraps around."""
    path = str(write_corpus(tmp_path / "corpus.jsonl", SENTENCES))
    kept = training_records(CorpusMix(path, "genia", 1.0, held_out=2))
    assert [record.text for record in kept] == TEXTS[:3]
    assert len(training_records(CorpusMix(path, "genia", 1.0))) == 5
    for held_out in (5, 8):
        with pytest.raises(ConfigurationError, match=f"corpora.held_out: {held_out} of 5 records"):
            training_records(CorpusMix(path, "genia", 1.0, held_out=held_out))


def test_frequent_characters_are_counted_over_all_texts() -> None:
    """Would catch ASCII characters, rare ones, those that the base has a token for, or an order that changes."""
    assert frequent_characters(["病病肺a", "肺病b心aaaa"], at_least=2, is_whole=lambda _: False) == ["病", "肺"]
    assert frequent_characters(["éaé"], at_least=3, is_whole=lambda _: False) == []
    assert frequent_characters(["病病肺肺"], at_least=2, is_whole=lambda char: char == "病") == ["肺"]


def test_tags_of_a_mix_are_sorted_and_shared() -> None:
    """Would catch a tag that two label sets share but that gets two rows."""
    mix = (CorpusMix("a", "bc5cdr", 1.0), CorpusMix("b", "cmeee", 1.0))
    tags = tags_of(mix)
    own = [tag for tag in tags if not is_free(tag)]
    assert own == sorted(set(own))
    assert tags.count("disease") == 1
    assert tags[len(own) :] == free_tags()


def test_a_run_with_another_order_of_batches_does_not_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a resumed run that silently trains other batches than the plan that the card will name."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=600)
    train(settings, tmp_path / "run")
    with pytest.raises(ModelError, match="another seed"):
        SftRun(replace(settings, seed=99), tmp_path / "run", log=lambda _: None)


def test_an_adapter_is_written_in_bfloat16_whatever_it_was_trained_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a model that is twice as large when it comes from a processor that computes in float32."""
    train(tiny_settings(tmp_path, monkeypatch, precision="float32"), tmp_path / "run")
    adapter = load_file(tmp_path / "run" / ADAPTER_FOLDER / "adapter_model.safetensors")
    assert {one.dtype for one in adapter.values()} == {torch.bfloat16}
