"""Carrying a base and corpora in pieces, and a model back."""

import json
from pathlib import Path

import pytest

from devtools import file_pieces
from devtools.short_gpu_run import main


def write_folder(folder: Path) -> dict[str, bytes]:
    """A folder with files of some size, one of them below it."""
    files = {"model.toml": b"name = 'x'\n", "adapter/weights.bin": bytes(range(256)) * 999}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return files


def test_a_folder_comes_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches pieces that are joined in another order, and folders that lose a file."""
    monkeypatch.setattr(file_pieces, "PIECE_BYTES", 100)
    files = write_folder(tmp_path / "gemma")
    main(["cut", str(tmp_path / "gemma"), "--output", str(tmp_path / "pieces")])
    assert len(list((tmp_path / "pieces").glob("piece*"))) > 3
    main(["join", str(tmp_path / "pieces"), "--output", str(tmp_path / "back")])
    assert {name: (tmp_path / "back/gemma" / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_damage_on_the_way_is_noticed(tmp_path: Path, damage: str) -> None:
    """Catches a model made of what arrived, when a piece was lost or cut short."""
    write_folder(tmp_path / "gemma")
    main(["cut", str(tmp_path / "gemma"), "--output", str(tmp_path / "pieces")])
    (piece,) = json.loads((tmp_path / "pieces/pieces.json").read_text())["pieces"]
    path = tmp_path / "pieces" / piece
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SystemExit, match=piece if damage == "missing" else "damaged"):
        main(["join", str(tmp_path / "pieces"), "--output", str(tmp_path / "back")])
    assert not (tmp_path / "back").exists()
