"""What the tests of the readers share."""

from pathlib import Path
from typing import Any

import pytest
from dump_samples import ReadBytes

from bioner_core.formats.reader import read_records


@pytest.fixture(scope="session")
def read_bytes(tmp_path_factory: pytest.TempPathFactory) -> ReadBytes:
    """Store bytes as a file and read it: what a user's dump goes through."""
    path: Path = tmp_path_factory.mktemp("dump") / "dump"

    def read(content: bytes, **options: Any) -> list[Any]:
        path.write_bytes(content)
        return list(read_records(str(path), **options))

    return read
