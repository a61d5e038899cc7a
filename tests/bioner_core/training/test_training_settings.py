"""Settings: checked before anything starts, each with where it came from."""

from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.optimization import rate_factor
from bioner_core.training.settings import CorpusMix, SftSettings, TrainingLoss, Tuning, read_settings

CORPUS = '[[corpora]]\nfile = "a.jsonl"\nlabel_set = "genia"\nweight = 1\n'
MIX = (CorpusMix("a.jsonl", "genia", 1.0),)


def write(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_file_and_command_line_win_over_defaults(tmp_path: Path) -> None:
    """Would catch an override that is lost, or an origin that says something else."""
    path = write(tmp_path, 'seed = 5\nscheme = "lines"\nlora_rank = 4\n' + CORPUS)
    settings, origins = read_settings(path, {"seed": 6, "threads": None})
    assert (settings.seed, settings.scheme, settings.lora_rank) == (6, TagScheme.LINES, 4)
    assert settings.threads == SftSettings(MIX).threads
    assert settings.corpora == MIX
    told = {one.name: (one.value, one.origin) for one in origins}
    assert told["seed"] == (6, "command line")
    assert told["lora_rank"] == (4, "file")
    assert told["threads"] == (0, "default")
    assert "corpora" not in told


def test_whole_numbers_serve_as_decimal_ones(tmp_path: Path) -> None:
    """Would catch a check of types that refuses `max_minutes = 90`."""
    assert read_settings(write(tmp_path, "max_minutes = 90\n" + CORPUS))[0].max_minutes == 90


def test_names_of_kinds_are_read_as_such(tmp_path: Path) -> None:
    """Would catch a setting that stays text and matches nothing."""
    text = 'tuning = "full"\nloss = "language_model"\nprecision = "float32"\n' + CORPUS
    settings, origins = read_settings(write(tmp_path, text))
    assert (settings.tuning, settings.loss) == (Tuning.FULL, TrainingLoss.LANGUAGE_MODEL)
    told = {one.name: one.origin for one in origins}
    assert (told["tuning"], told["gradient_accumulation"], told["development"]) == ("file", "default", "default")


def test_weights_may_be_left_out(tmp_path: Path) -> None:
    """Would catch weights that one has to make up."""
    settings, _ = read_settings(write(tmp_path, CORPUS.replace("weight = 1\n", "")))
    assert settings.corpora[0].weight is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("seed = ", "settings.toml", id="not TOML"),
        pytest.param("sead = 1\n" + CORPUS, "unknown field 'sead'; known: .*'seed'", id="misspelt"),
        pytest.param("seed = 1", "corpora: empty", id="no corpus"),
        pytest.param('seed = "x"\n' + CORPUS, "seed: 'x' is of type str; give one of type int", id="wrong type"),
        pytest.param("threads = true\n" + CORPUS, "threads: True is of type bool", id="bool for a number"),
        pytest.param("batch_tokens = 1.5\n" + CORPUS, "batch_tokens: 1.5 is of type float", id="fraction"),
        pytest.param("max_tokens = 0\n" + CORPUS, "max_tokens: 0; give a number above 0", id="no budget"),
        pytest.param("lora_rank = -1\n" + CORPUS, "lora_rank: -1", id="negative rank"),
        pytest.param("warmup_share = 1.0\n" + CORPUS, "warmup_share: 1.0; give a share", id="all warm-up"),
        pytest.param('tuning = "halfway"\n' + CORPUS, "halfway", id="unknown tuning"),
        pytest.param('loss = "guess"\n' + CORPUS, "guess", id="unknown loss"),
        pytest.param('precision = "int4"\n' + CORPUS, "precision: 'int4'; choose from", id="unknown precision"),
        pytest.param("mix_temperature = 0.5\n" + CORPUS, "mix_temperature: 0.5", id="temperature below 1"),
        pytest.param("gradient_accumulation = 0\n" + CORPUS, "gradient_accumulation: 0", id="no batch per step"),
        pytest.param("average_checkpoints = 0\n" + CORPUS, "average_checkpoints: 0", id="mean of none"),
        pytest.param("evaluate_steps = -1\n" + CORPUS, "evaluate_steps: -1", id="negative steps"),
        pytest.param("evaluate_steps = 5\n" + CORPUS, "development: no file", id="nothing to evaluate"),
        pytest.param(
            'gradient_checkpointing = "yes"\n' + CORPUS, "gradient_checkpointing: 'yes'", id="text for a bool"
        ),
        pytest.param("long_prompts = 2.0\n" + CORPUS, "long_prompts: 2.0; give a share", id="more than all are long"),
        pytest.param(
            'long_prompts = 0.5\nloss = "language_model"\n' + CORPUS,
            "long_prompts: 0.5 with loss 'language_model'",
            id="a loss that judges unmarked types",
        ),
        pytest.param('scheme = "columns"\n' + CORPUS, "columns", id="unknown scheme"),
        pytest.param(CORPUS.replace("1", "0"), "corpora.weight: 0 for 'a.jsonl'", id="no weight"),
        pytest.param(CORPUS.replace("1", '"1"'), "corpora.weight: '1'", id="text for a weight"),
        pytest.param(CORPUS + "held_out = -1", "corpora.held_out: -1", id="negative held out"),
        pytest.param(CORPUS + "held_oud = 1", "held_oud", id="misspelt in a corpus"),
        pytest.param(CORPUS + CORPUS.replace("weight = 1\n", ""), "give all or none", id="some weights"),
        pytest.param('corpora = ["a.jsonl"]', "settings.toml", id="names for tables"),
    ],
)
def test_wrong_settings_name_the_field(tmp_path: Path, text: str, said: str) -> None:
    """Would catch a run that fails after an hour, or trains with a value that nobody meant."""
    with pytest.raises(ConfigurationError, match=said):
        read_settings(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Would catch a FileNotFoundError instead of a message."""
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        read_settings(tmp_path / "absent.toml")


def test_an_unknown_override_is_refused(tmp_path: Path) -> None:
    """Would catch a command line option that nothing reads."""
    with pytest.raises(ConfigurationError, match="'colour'"):
        read_settings(write(tmp_path, CORPUS), {"colour": 1})


def test_the_rate_warms_up_and_then_falls_to_its_end() -> None:
    """Would catch a rate of zero at the start, a jump after the warm-up, or one that rises again."""
    settings = SftSettings(MIX, warmup_share=0.1, final_rate=0.05)
    assert rate_factor(0.0, settings) == pytest.approx(0.02)
    assert rate_factor(0.05, settings) == pytest.approx(0.5)
    assert rate_factor(0.1, settings) == pytest.approx(1.0)
    assert rate_factor(0.55, settings) == pytest.approx(0.05 + 0.95 / 2)
    assert rate_factor(1.0, settings) == pytest.approx(0.05)
    assert rate_factor(1.5, settings) == pytest.approx(0.05)
    falling = [rate_factor(0.1 + step / 100, settings) for step in range(91)]
    assert falling == sorted(falling, reverse=True)


def test_no_warm_up_starts_at_the_full_rate() -> None:
    """Would catch a division by zero."""
    assert rate_factor(0.0, SftSettings(MIX, warmup_share=0.0)) == pytest.approx(1.0)
