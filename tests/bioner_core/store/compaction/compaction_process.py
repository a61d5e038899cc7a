"""A process that compacts a store, to be killed: `python compaction_process.py STORE`. Says when it begins."""

import sys
from pathlib import Path

from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store

if __name__ == "__main__":
    store = Path(sys.argv[1])
    with StoreLock(Store(store), purpose="test", wait_seconds=5):
        print("begins", flush=True)
        compact_store(Store(store), CompactionSettings(keep=1, memory_bytes=2**28, file_bytes=1))
