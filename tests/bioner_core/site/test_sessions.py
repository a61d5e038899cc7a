"""Sessions that stay open between pages: of the newest state, and never one that was broken off."""

from dataclasses import replace
from pathlib import Path

import pytest
from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.errors import ConfigurationError
from bioner_core.linking.linker import Linker
from bioner_core.site.sessions import SessionLimits, SessionPool
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.linking.linked_concepts import link_alone

LIMITS = SessionLimits(memory_bytes=2**30, seconds=60)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a snapshot."""
    made = word_store(tmp_path)
    compact_store(Store(made), CompactionSettings(memory_bytes=2**28))
    return made


def test_a_page_takes_the_session_of_the_one_before(store: Path) -> None:
    """Would catch a session that is opened for each page, and one that two pages use at once."""
    pool = SessionPool(Store(store), LIMITS)
    with pool.session() as first, pool.session() as beside:
        assert first is not beside
    with pool.session() as again:
        assert again in (first, beside)


def test_new_links_are_seen_at_once(store: Path, tmp_path: Path) -> None:
    """Would catch pages that show what was current when the server was started."""
    pool = SessionPool(Store(store), LIMITS)
    with pool.session() as before:
        assert before.ask("FROM concepts").read_all().num_rows == 0
    link_alone(Store(store), Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28"))]))
    with pool.session() as after:
        assert after.ask("FROM concepts").read_all().num_rows == 1


def test_a_question_that_was_given_up_spoils_no_other(store: Path) -> None:
    """Would catch a page that fails because the one before took too long."""
    pool = SessionPool(Store(store), replace(LIMITS, seconds=0.3))
    slow = "SELECT sum(a.i * b.i) FROM range(400000) a(i), range(400000) b(i)"
    with pytest.raises(ConfigurationError, match="took longer"), pool.session() as session:
        session.ask(slow).read_all()
    with pool.session() as other:
        assert other is not session
        assert other.ask("SELECT 1 AS one").read_all().num_rows == 1
