"""Values survive the way through Parquet."""

from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.documents import Document, DocumentMeta, Passage, RemovedCode
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Reject, RejectReason
from bioner_core.store import rows
from bioner_core.store.rows import RejectRow

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # NUL and every other code point but surrogates
_INT = st.integers(0, 2**31 - 1)
_DOCUMENTS = st.builds(
    Document,
    _TEXT,
    _TEXT,
    st.integers(1, 2**62),
    _TEXT,
    st.lists(st.builds(Passage, _TEXT, _TEXT, _TEXT, _TEXT), max_size=3).map(tuple),
    st.builds(
        DocumentMeta,
        st.lists(st.tuples(_TEXT, _TEXT), max_size=3).map(tuple),
        _TEXT,
        _TEXT,
        st.lists(_TEXT, max_size=3).map(tuple),
        _TEXT,
        _INT,
        st.lists(st.builds(RemovedCode, _INT, _INT, _TEXT), max_size=2).map(tuple),
    ),
)
_MENTIONS = st.builds(
    Mention,
    **dict.fromkeys(("mention_id", "doc_id", "section", "lang", "text", "label_set", "type"), _TEXT),
    **dict.fromkeys(("doc_version", "passage_index", "sentence_index", "start", "end", "depth"), _INT),
    parent_id=st.none() | _TEXT,
    tag_score=st.floats(allow_nan=False),
    selector_score=st.floats(0, 1),
    accepted=st.booleans(),
)
_REJECTS = st.builds(
    RejectRow,
    st.builds(Reject, _TEXT, _TEXT, _TEXT, _INT, _TEXT, st.sampled_from(RejectReason), _TEXT, _INT, _TEXT, _TEXT),
    _TEXT,
    st.none() | _TEXT,
    st.none() | _INT,
    st.none() | _INT,
)
_DELETIONS = st.builds(Deletion, _TEXT, _TEXT, _INT, _TEXT, _INT)


def _through_parquet(table: object, folder: Path) -> list[object]:
    pq.write_table(table, folder / "t.parquet")
    return pq.read_table(folder / "t.parquet").to_batches()


@given(st.lists(_DOCUMENTS, max_size=4))
def test_documents_come_back_equal(tmp_path_factory: object, documents: list[Document]) -> None:
    """Would catch a lost NUL, a cut string, an empty list read as null, or a column that was forgotten."""
    batches = _through_parquet(rows.documents_to_arrow(documents), _folder(tmp_path_factory))
    assert [one for batch in batches for one in rows.documents_from_arrow(batch)] == documents


@given(st.lists(_MENTIONS, max_size=4))
def test_mentions_come_back_equal(tmp_path_factory: object, mentions: list[Mention]) -> None:
    """Would catch a score that is rounded, so that a stored decision no longer follows from it."""
    batches = _through_parquet(rows.mentions_to_arrow(mentions), _folder(tmp_path_factory))
    assert [one for batch in batches for one in rows.mentions_from_arrow(batch)] == mentions


@given(st.lists(_REJECTS, max_size=4))
def test_rejects_come_back_equal(tmp_path_factory: object, rejects: list[RejectRow]) -> None:
    """Would catch a reason code that changes, or a record reject that is read as one of sentence 0."""
    batches = _through_parquet(rows.rejects_to_arrow(rejects), _folder(tmp_path_factory))
    assert [one for batch in batches for one in rows.rejects_from_arrow(batch)] == rejects


@given(st.lists(_DELETIONS, max_size=4))
def test_deletions_come_back_equal(tmp_path_factory: object, deletions: list[Deletion]) -> None:
    """Would catch a deletion that loses the version that it deletes."""
    batches = _through_parquet(rows.deletions_to_arrow(deletions), _folder(tmp_path_factory))
    assert [one for batch in batches for one in rows.deletions_from_arrow(batch)] == deletions


def _folder(factory: object) -> Path:
    return Path(factory.getbasetemp())  # type: ignore[attr-defined]
