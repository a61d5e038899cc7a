"""Where a job keeps files that readers open from a disk: downloads, and what standard input gave."""

import hashlib
from pathlib import Path

from bioner_core.models.base_model import cache_folder
from bioner_core.store.paths import StorePath

_DIGEST_LENGTH = 16


def local_folder(folder: StorePath) -> Path:
    """A folder of a store; where that is on object storage, one for it alone in the cache of this machine."""
    if isinstance(folder, Path):
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:_DIGEST_LENGTH]
    return cache_folder() / "stores" / f"{folder.name}-{digest}"
