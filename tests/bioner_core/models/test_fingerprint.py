"""The fingerprint changes with everything that an answer depends on, and with nothing else."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import load_label_set
from bioner_core.models import fingerprint
from bioner_core.models.directory import ADAPTER_FOLDER, SELECTOR_FILE, bundled_models, files_digest, model_folder
from bioner_core.models.fingerprint import annotator_fingerprint
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.tag_choice import free_tags, meanings_of
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.models.model_samples import CARD, write_sample

GENIA = load_label_set("genia")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model directory."""
    return write_sample(tmp_path / "model")


def digest_of(folder: Path) -> str:
    """The fingerprint with one label set."""
    return annotator_fingerprint(folder, [GENIA], precision="float32", use_selector=True)


def card_change(**changes: object) -> Callable[[Path], None]:
    """A change of some fields of the card."""
    return lambda folder: write_card(dataclasses.replace(read_card(folder), **changes), folder)  # type: ignore[arg-type]


def file_change(name: str, content: bytes) -> Callable[[Path], None]:
    """A change of one file."""

    def change(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(card_change(base_sha256="1" * 64), id="base"),
        pytest.param(card_change(prompt_version="2"), id="prompt"),
        pytest.param(card_change(scheme=TagScheme.INLINE), id="scheme"),
        pytest.param(card_change(tags=("protein", "DNA")), id="order of the tags"),
        pytest.param(card_change(characters="肺"), id="characters"),
        pytest.param(card_change(open_bias={"genia": 0.5}), id="opening bias"),
        pytest.param(file_change("rows.safetensors", b"other"), id="rows"),
        pytest.param(file_change(f"{ADAPTER_FOLDER}/adapter_model.safetensors", b"other"), id="adapter"),
        pytest.param(file_change(f"{ADAPTER_FOLDER}/adapter_config.json", b'{"lora_alpha": 32}'), id="adapter scale"),
        pytest.param(file_change(SELECTOR_FILE, b"selector"), id="selector"),
    ],
)
def test_a_changed_model_changes_the_fingerprint(model: Path, change: Callable[[Path], None]) -> None:
    """Would catch old results reused for a model that answers differently."""
    before = digest_of(model)
    change(model)
    assert digest_of(model) != before


@pytest.mark.parametrize(
    "name", ["DECODING_VERSION", "SPLITTER_VERSION", "FOLDING_VERSION", "COMPOSITION_VERSION", "INT8_VERSION"]
)
def test_a_new_version_of_the_code_changes_the_fingerprint(
    model: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch old results reused after the splitter or a decoder was changed."""
    before = annotator_fingerprint(model, [GENIA], precision="int8", use_selector=True)
    monkeypatch.setattr(fingerprint, name, "next")
    assert annotator_fingerprint(model, [GENIA], precision="int8", use_selector=True) != before


CRAFT = load_label_set("craft")
READING_CARD = dataclasses.replace(
    CARD, tags=("DNA", "protein", *free_tags()), label_sets=("craft",), meanings=meanings_of([CRAFT])
)


@pytest.fixture
def reading_model(tmp_path: Path) -> Path:
    """The directory of a model that reads definitions, and was trained on CRAFT."""
    card = dataclasses.replace(READING_CARD, tags=(*READING_CARD.tags, *(one.tag for one in CRAFT.types)))
    return write_sample(tmp_path / "reading", card)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(card_change(meanings={}), id="meanings: the types take free tags"),
        pytest.param(card_change(label_sets=()), id="label sets: it is asked in parts"),
    ],
)
def test_what_a_card_says_of_tags_changes_the_fingerprint(reading_model: Path, change: Callable[[Path], None]) -> None:
    """Catches old results reused for a model that is asked otherwise, with the same weights."""
    before = annotator_fingerprint(reading_model, [CRAFT], precision="float32", use_selector=True)
    change(reading_model)
    assert annotator_fingerprint(reading_model, [CRAFT], precision="float32", use_selector=True) != before


def test_the_bias_of_a_namesake_counts(reading_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches results found when a name alone chose the bias, reused now that types do; and all others thrown away."""
    types = tuple(dataclasses.replace(one, definition_en="x", definition_zh="x") for one in CRAFT.types)
    namesake = dataclasses.replace(CRAFT, types=types)
    card_change(open_bias={"craft": 0.75})(reading_model)

    def digests() -> list[str]:
        asked = [namesake, CRAFT, GENIA]
        return [annotator_fingerprint(reading_model, [one], precision="float32", use_selector=True) for one in asked]

    now = digests()
    monkeypatch.setattr(fingerprint, "opening_bias", lambda label_set, card: card.open_bias.get(label_set.name, 0.0))
    before = digests()
    assert now[0] != before[0]
    assert now[1:] == before[1:]


def test_the_words_of_trained_tags_count_where_rows_are_composed_of_them(model: Path) -> None:
    """Catches old results reused for unseen tags whose rows are mixed by other words."""
    unseen = load_label_set("bc5cdr")
    before = annotator_fingerprint(model, [unseen], precision="float32", use_selector=True)
    card_change(label_sets=("cmeee",))(model)
    assert annotator_fingerprint(model, [unseen], precision="float32", use_selector=True) != before


def test_what_is_said_of_a_label_set_to_people_does_not_count(model: Path) -> None:
    """Catches a store that is annotated anew because a label set became a default one, or was described better."""
    other = dataclasses.replace(GENIA, default=not GENIA.default, description="what a person reads")
    assert annotator_fingerprint(model, [other], precision="float32", use_selector=True) == digest_of(model)


def test_what_was_asked_for_changes_the_fingerprint(model: Path) -> None:
    """Would catch results of one label set, precision or selector setting taken for those of another."""
    defined = dataclasses.replace(GENIA.types[0], definition_en="something else")
    found = [
        annotator_fingerprint(model, sets, precision=precision, use_selector=use_selector)
        for sets, precision, use_selector in [
            ([GENIA], "float32", True),
            ([GENIA], "bfloat16", True),
            ([GENIA], "float32", False),
            ([], "float32", True),
            ([GENIA, load_label_set("cmeee")], "float32", True),
            ([GENIA.restricted_to(("protein",))], "float32", True),
            ([dataclasses.replace(GENIA, types=GENIA.types[::-1])], "float32", True),
            ([dataclasses.replace(GENIA, types=(defined, *GENIA.types[1:]))], "float32", True),
        ]
    ]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(card_change(metrics={"f1": 1.0}, training={}, name="other"), id="what is for people"),
        pytest.param(card_change(tag_thresholds={"genia": 9.0}), id="a yardstick of evaluation"),
        pytest.param(card_change(thresholds={"genia": 0.26}), id="threshold, which is of the finish pass"),
        pytest.param(file_change("notes.txt", b"hello"), id="a file beside"),
    ],
)
def test_what_does_not_change_answers_does_not_change_the_fingerprint(
    model: Path, change: Callable[[Path], None]
) -> None:
    """Would catch days of work thrown away because a figure was added to the card."""
    before = digest_of(model)
    change(model)
    assert digest_of(model) == before


def test_wordings_that_only_training_reads_do_not_count(model: Path) -> None:
    """Would catch a store that is annotated anew because a definition was given another wording to train with."""
    types = tuple(
        dataclasses.replace(one, other_names=("x",), other_definitions=("y",), untrained_definitions=("z",))
        for one in GENIA.types
    )
    reworded = dataclasses.replace(GENIA, types=types)
    assert annotator_fingerprint(model, [reworded], precision="float32", use_selector=True) == digest_of(model)


def test_the_order_of_label_sets_and_the_place_of_the_model_do_not_count(model: Path, tmp_path: Path) -> None:
    """Would catch a fingerprint that differs between two machines, or between two command lines that mean the same."""
    other = write_sample(tmp_path / "elsewhere")
    cmeee = load_label_set("cmeee")
    one = annotator_fingerprint(model, [GENIA, cmeee], precision="float32", use_selector=True)
    assert one == annotator_fingerprint(other, [cmeee, GENIA], precision="float32", use_selector=True)


def test_training_checkpoints_do_not_count(model: Path) -> None:
    """Catches a fingerprint that changes when what docs/training.md calls removable is removed."""
    before = files_digest(model)
    for name in ("checkpoint/state.safetensors", "last_checkpoints/10.safetensors", "best.safetensors"):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(b"state")
    assert files_digest(model) == before


def test_the_digest_of_a_model_that_ships_is_that_of_its_card_page() -> None:
    """Catches another way to digest the same files: every store of the model would be annotated anew."""
    for name in bundled_models():
        folder = model_folder(name)
        assert files_digest(folder) in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_renamed_file_changes_the_digest(model: Path) -> None:
    """Would catch a digest of contents without names."""
    before = files_digest(model)
    (model / "rows.safetensors").rename(model / SELECTOR_FILE)
    assert files_digest(model) != before


def test_a_folder_without_a_model_is_refused(tmp_path: Path, model: Path) -> None:
    """Would catch a fingerprint of nothing."""
    with pytest.raises(ModelError):
        digest_of(tmp_path)
    with pytest.raises(ModelError):
        model_folder(str(tmp_path))
    assert model_folder(str(model)) == model
