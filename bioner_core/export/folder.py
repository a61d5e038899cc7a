"""A folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from bioner_core.errors import ConfigurationError, StoreError


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Lend a folder beside `output`; on a clean exit it becomes `output`, otherwise it is removed.

    Raises:
        ConfigurationError: there is a file of that name, or a folder that is not empty.
        StoreError: the disk refuses.
    """
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise ConfigurationError(f"--output: {str(output)!r} is there already; name a new folder, or remove it")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise StoreError(f"{output}: cannot be written ({error}). Check its folder and its permissions") from error
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp keeps others out
        os.replace(temporary, output)
    except OSError as error:
        raise StoreError(f"{output}: cannot be written ({error}). Free some space, or check the permissions") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
