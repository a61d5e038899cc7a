"""A link run in a process of its own that kills itself: arguments are store, vocabulary and countdown of renames."""

import sys
from pathlib import Path

from bioner_core.concepts.vocabulary import open_vocabulary
from bioner_core.linking.linker import Linker
from bioner_core.store.layout import Store
from tests.bioner_core.linking.linked_concepts import link_alone
from tests.pipelines.rename_countdown import end_before_rename


def main() -> None:
    """Link until the countdown ends, just before the last rename."""
    store, vocabulary, countdown = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    linker = Linker([open_vocabulary(vocabulary)])
    end_before_rename(countdown)
    link_alone(Store(store), linker)


if __name__ == "__main__":
    main()
