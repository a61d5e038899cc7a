"""`-` for an input."""

import errno
import io
import sys
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.store.layout import Store
from jobs.runs.local_files import with_standard_input


class Piped(io.TextIOWrapper):
    """Standard input that is a pipe."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


def test_the_same_content_is_the_same_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a stopped run that starts from nothing again, since its input has a new name each time."""
    found = []
    for content in (b"one", b"two", b"one"):
        monkeypatch.setattr(sys, "stdin", Piped(content))
        first, kept = with_standard_input(("a.xml", "-"), Store(tmp_path))
        assert (first, Path(kept).read_bytes()) == ("a.xml", content)
        found.append(kept)
    assert found[0] == found[2] != found[1]
    assert len(list((tmp_path / "stdin").iterdir())) == 2


def test_nothing_is_read_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a command that reads twice what can be read once, or takes nothing for an input."""
    monkeypatch.setattr(sys, "stdin", Piped(b""))
    assert with_standard_input(("a.xml",), Store(tmp_path)) == ("a.xml",)
    with pytest.raises(ConfigurationError, match="once"):
        with_standard_input(("-", "-"), Store(tmp_path))
    with pytest.raises(InputError, match="empty"):
        with_standard_input(("-",), Store(tmp_path))
    assert not list((tmp_path / "stdin").iterdir())


def test_standard_input_that_cannot_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a full disk that is filled further by each try, with copies that no command ever removes."""

    class Full(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            kept = [path.stat().st_size for path in (tmp_path / "stdin").iterdir()]
            if any(kept):
                raise OSError(errno.ENOSPC, "No space left on device")
            return b"x" * 3 * 1024 * 1024

    piped = Piped(b"")
    monkeypatch.setattr(sys, "stdin", type("Input", (), {"isatty": piped.isatty, "buffer": Full()})())
    with pytest.raises(InputError, match="No space left"):
        with_standard_input(("-",), Store(tmp_path))
    assert list((tmp_path / "stdin").iterdir()) == []
