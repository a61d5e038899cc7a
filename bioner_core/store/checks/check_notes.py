"""Are the small files beside the shards whole: the page of the links, the store's precision, the notes of models?"""

from collections.abc import Iterator

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import changed_link_files, current_links
from bioner_core.store.history.model_notes import damaged_notes, read_pin
from bioner_core.store.layout import Store


def note_faults(store: Store) -> Iterator[str]:
    """What is wrong with them, in words with what to do; nothing when all is well."""
    try:
        read_pin(store)
    except StoreError as error:
        yield str(error)
    yield from damaged_notes(store)
    yield from _link_faults(store)


def _link_faults(store: Store) -> Iterator[str]:
    try:
        page = current_links(store)
    except StoreError as error:
        yield str(error)
        return
    if page is not None:
        yield from changed_link_files(store, page)
