"""Links of a store that no other job is at work on, and what they say of each mention."""

from functools import partial

import pyarrow.parquet as pq

from bioner_core.linking.link_store import link_store
from bioner_core.linking.link_table import current_links
from bioner_core.store.layout import Store

link_alone = partial(link_store, check=lambda: None)
"""`link_store` for a store that no other job is at work on, so that no lock can be lost."""


def linked_concepts(store: Store) -> dict[str, str]:
    """The likeliest concept of each mention that has one, by mention id."""
    page = current_links(store)
    assert page is not None
    rows = pq.read_table(page.path(store, "links")).to_pylist()
    return {row["mention_id"]: row["concept_id"] for row in rows if row["rank"] == 1 and row["concept_id"] is not None}
