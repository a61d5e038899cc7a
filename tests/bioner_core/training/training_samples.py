"""A label set, a corpus and a base model that are small enough to train on in a test."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import tomli_w

from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models import base_model
from bioner_core.models.base_model import pulled_folder
from bioner_core.models.bases import Licence, PullableBase, WheelPart
from bioner_core.models.prompt import PROMPT_VERSION, PromptTokens, described_types, prompt_tokens
from bioner_core.tagging.scheme import TagScheme, copy_lines
from bioner_core.training.examples import ExampleBuilder, TaggingExample
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import TYPES, save_tiny_base, tiny_vocabulary

LABEL_SET = LabelSet("tiny", ("en",), False, "", tuple(EntityType(one.upper(), one, one, one, "", "") for one in TYPES))
TINY_BASE = PullableBase("tiny", (WheelPart("tiny==1", "tiny.gguf"),), "7" * 64, Licence("none"))
SENTENCES = (
    ("The alpha one binds beta two.", ((4, 13, "ALPHA"), (4, 9, "BETA"), (20, 28, "GAMMA"))),
    ("病人有肺病。", ((3, 5, "BETA"), (3, 4, "ALPHA"))),
    ("No entity here at all.", ()),
    ("gamma 3 and [alpha 4]", ((0, 7, "GAMMA"), (13, 20, "ALPHA"))),
    ("x", ((0, 1, "BETA"),)),
)
OTHER_SENTENCES = tuple(
    (f"- {text}", tuple((start + 2, end + 2, one) for start, end, one in spans)) for text, spans in SENTENCES
)
"""Sentences whose texts are none of `SENTENCES`, with the same entities."""


def prompt_of(scheme: TagScheme) -> PromptTokens:
    """The prompt of the label set in the tiny vocabulary."""
    lines = copy_lines(scheme, len(TYPES))
    types = described_types(LABEL_SET, TYPES, version=PROMPT_VERSION)
    return prompt_tokens(types, lines, vocabulary=tiny_vocabulary(), scheme=scheme)


def builder_of(scheme: TagScheme) -> ExampleBuilder:
    """A builder of examples over the tiny vocabulary."""
    return ExampleBuilder(LABEL_SET, prompt_of(scheme), vocabulary=tiny_vocabulary(), scheme=scheme)


def example_of_length(length: int, label_set: str = "tiny") -> TaggingExample:
    """An example of so many tokens, without choices."""
    return TaggingExample(label_set, (0,) * length, (), (0,), 1)


def write_corpus(path: Path, sentences: Sequence[tuple[str, tuple[tuple[int, int, str], ...]]] = SENTENCES * 4) -> Path:
    """Write a gold corpus as JSON lines."""
    lines = [
        {
            "id": str(index),
            "lang": "en",
            "text": text,
            "entities": [{"start": start, "end": end, "type": one} for start, end, one in spans],
        }
        for index, (text, spans) in enumerate(sentences)
    ]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return path


def write_label_set(path: Path) -> Path:
    """Write the label set as a user's own file."""
    types = "".join(f'[[types]]\nname = "{one.name}"\ntag = "{one.tag}"\nen = "{one.en}"\n' for one in LABEL_SET.types)
    path.write_text(f'name = "{LABEL_SET.name}"\n{types}', encoding="utf-8")
    return path


def tiny_settings(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> SftSettings:
    """Settings of a run of a few steps, with a base that counts as pulled."""
    monkeypatch.setenv("BIONER_CACHE", str(folder / "cache"))
    monkeypatch.setitem(base_model.PULLABLE, TINY_BASE.name, TINY_BASE)
    if not pulled_folder(TINY_BASE).is_dir():
        save_tiny_base(pulled_folder(TINY_BASE))
    corpus = write_corpus(folder / "corpus.jsonl")
    own = write_label_set(folder / "own.toml")
    chosen: dict[str, object] = {
        "corpora": (CorpusMix(str(corpus), str(own), 1.0),),
        "base": TINY_BASE.name,
        "max_tokens": 1_500,
        "max_minutes": 1e6,
        "batch_tokens": 400,
        "learning_rate": 0.02,
        "lora_rank": 4,
        "lora_alpha": 8,
        "rare_character": 2,
        "checkpoint_steps": 2,
        "varied_prompts": 0.0,
        "definition_rank": 8,
    }
    return SftSettings(**(chosen | changes))  # type: ignore[arg-type]


def train_once(settings: SftSettings, output: Path, *, kept: Path) -> None:
    """Train into `output` and keep a copy, or copy what is kept: equal contents make equal models."""
    if kept.is_dir():
        shutil.copytree(kept, output)
        return
    SftRun(settings, output, log=lambda _: None).train()
    shutil.copytree(output, kept)


def with_held_out_end(settings: SftSettings) -> SftSettings:
    """The settings with five more records in the corpus, which are held out: their texts stand nowhere else."""
    [corpus] = settings.corpora
    write_corpus(Path(corpus.file), [*SENTENCES * 3, *OTHER_SENTENCES])
    return replace(settings, corpora=(replace(corpus, held_out=len(OTHER_SENTENCES)),))


def write_settings(path: Path, settings: SftSettings) -> Path:
    """Write settings as a file for a process of its own, to which only a base in a folder is known."""
    base = path.parent / "base"
    if not base.is_dir():
        save_tiny_base(base)
    given = {name: value for name, value in asdict(settings).items() if name != "corpora"} | {"base": str(base)}
    corpora = [{name: value for name, value in asdict(one).items() if value is not None} for one in settings.corpora]
    path.write_text(tomli_w.dumps({**given, "corpora": corpora}), encoding="utf-8")
    return path
