"""What the pages ask a store, as SQL over the views of `bioner query`; every value is a parameter of it.

Rows are dicts by column. Searches look at the newest state alone; those in texts read all of them, which takes as long
as it takes: the caller's session has a time limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioner_core.store.query.query_session import QuerySession

PAGE_ROWS = 25
"""Documents of one page of search results."""

_Row = dict[str, Any]

_TITLE = "coalesce([p.text for p in passages if p.section = 'title'][1], passages[1].text, '')"

_DOCUMENTS = f"""
SELECT doc_id, year, journal, lang, left({_TITLE}, 300) AS title
FROM documents AS d
WHERE ($id = '' OR doc_id = $id OR doc_id LIKE concat('%:', $id))
  AND ($year = '' OR year = $year)
  AND ($journal = '' OR contains(lower(journal), lower($journal)))
  AND ($text = '' OR len([1 for p in passages if contains(lower(p.text), lower($text))]) > 0)
  AND ($type = '' OR doc_id IN (SELECT doc_id FROM mentions WHERE type = $type))
  AND ($concept = '' OR doc_id IN (
        SELECT m.doc_id FROM mentions AS m JOIN links AS l USING (mention_id)
        WHERE l.rank = 1 AND l.concept_id = $concept))
LIMIT {PAGE_ROWS + 1} OFFSET $skip::BIGINT
"""  # noqa: S608 - the only thing put in is the expression above
_COUNTS = "SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM candidates) AS candidates"
_TOP = """
SELECT type, entity, sum(mentions)::BIGINT AS mentions FROM entity_years WHERE rank <= 20
GROUP BY ALL ORDER BY mentions DESC, entity LIMIT 20
"""
_CONCEPT = """
SELECT l.concept_id, any_value(l.name) AS name, any_value(l.vocabulary) AS vocabulary, count(*) AS mentions,
       count(DISTINCT m.doc_id) AS documents
FROM links AS l JOIN mentions AS m USING (mention_id)
WHERE l.rank = 1 AND l.concept_id = $concept GROUP BY l.concept_id
"""
_NAMES = """
SELECT lower(m.text) AS text, m.lang, any_value(m.type) AS type, count(*) AS mentions
FROM links AS l JOIN mentions AS m USING (mention_id)
WHERE l.rank = 1 AND l.concept_id = $concept
GROUP BY lower(m.text), m.lang ORDER BY mentions DESC, text LIMIT 30
"""
_YEARS = """
SELECT coalesce(nullif(d.year, ''), 'unknown') AS year, count(DISTINCT d.doc_id) AS documents
FROM links AS l JOIN mentions AS m USING (mention_id) JOIN documents AS d ON d.doc_id = m.doc_id
WHERE l.rank = 1 AND l.concept_id = $concept GROUP BY ALL ORDER BY year DESC LIMIT 60
"""
_EXAMPLES = """
SELECT m.doc_id, d.year, m.text,
       d.passages[m.passage_index + 1].text[greatest(m.start - 119, 1):m.start] AS before,
       d.passages[m.passage_index + 1].text[m."end" + 1:m."end" + 120] AS after
FROM links AS l JOIN mentions AS m USING (mention_id) JOIN documents AS d ON d.doc_id = m.doc_id
WHERE l.rank = 1 AND l.concept_id = $concept ORDER BY m.selector_score DESC, m.mention_id LIMIT 10
"""
_LINKS_OF_DOCUMENT = """
SELECT m.text, m.type, m.label_set, l.concept_id, l.name, l.method, count(*) AS mentions
FROM links AS l JOIN mentions AS m USING (mention_id)
WHERE m.doc_id = $id AND l.rank = 1 AND l.concept_id IS NOT NULL
GROUP BY ALL ORDER BY mentions DESC, m.text LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class DocumentSearch:
    """What documents are wanted; empty fields ask for nothing. `page` counts from 0."""

    text: str = ""
    id: str = ""
    concept: str = ""
    type: str = ""
    journal: str = ""
    year: str = ""
    page: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not any((self.text, self.id, self.concept, self.type, self.journal, self.year))


@dataclass(frozen=True, slots=True)
class FoundDocuments:
    """One page of documents, and whether there are more."""

    rows: tuple[_Row, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ConceptView:
    """A concept as a store has it: itself, the names it bears, documents by year, neighbours, sentences."""

    concept: _Row
    names: tuple[_Row, ...]
    years: tuple[_Row, ...]
    neighbours: tuple[_Row, ...]
    examples: tuple[_Row, ...]


def search_documents(session: QuerySession, wanted: DocumentSearch) -> FoundDocuments:
    """The documents that fit all that is asked for."""
    values = {name: getattr(wanted, name) for name in ("text", "id", "concept", "type", "journal", "year")}
    rows = _rows(session, _DOCUMENTS, values | {"skip": str(wanted.page * PAGE_ROWS)})
    return FoundDocuments(tuple(rows[:PAGE_ROWS]), len(rows) > PAGE_ROWS)


def overview(session: QuerySession) -> tuple[_Row, tuple[_Row, ...]]:
    """How much there is, and the most mentioned entities."""
    return _rows(session, _COUNTS)[0], tuple(_rows(session, _TOP))


def concept_view(session: QuerySession, concept: str, *, neighbours_sql: str) -> ConceptView | None:
    """All about one concept, None where nothing is linked to it. `neighbours_sql` is the named query of its pairs."""
    asked = {"concept": concept}
    found = _rows(session, _CONCEPT, asked)
    if not found:
        return None
    pairs = _rows(session, neighbours_sql, asked | {"limit": "20"})
    return ConceptView(
        found[0],
        tuple(_rows(session, _NAMES, asked)),
        tuple(_rows(session, _YEARS, asked)),
        tuple(pairs),
        tuple(_rows(session, _EXAMPLES, asked)),
    )


def links_of_document(session: QuerySession, doc_id: str) -> tuple[_Row, ...]:
    """What the mentions of a document are linked to, each name once."""
    return tuple(_rows(session, _LINKS_OF_DOCUMENT, {"id": doc_id}))


def _rows(session: QuerySession, sql: str, values: Mapping[str, str] | None = None) -> list[_Row]:
    found: list[_Row] = session.ask(sql, values).read_all().to_pylist()
    return found
