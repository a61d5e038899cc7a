"""What the pages ask a store, as SQL over the views of `bioner query`; every value is a parameter of it.

Rows are dicts by column. Searches look at the newest state alone; those in texts read all of them, which takes as long
as it takes: the caller's session has a time limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bioner_core.store.query.query_session import QuerySession

PAGE_ROWS = 25
"""Documents of one page of search results."""

_Row = dict[str, Any]

_FOUND = f"""
SELECT doc_id FROM documents
WHERE ($id = '' OR doc_id = $id OR ends_with(doc_id, concat(':', $id)))
  AND ($year = '' OR year = $year)
  AND ($journal = '' OR contains(lower(journal), lower($journal)))
  AND ($text = '' OR len([1 for p in passages if contains(lower(p.text), lower($text))]) > 0)
  AND ($type = '' OR doc_id IN (SELECT doc_id FROM mentions WHERE type = $type))
  AND ($concept = '' OR doc_id IN (SELECT doc_id FROM concept_documents WHERE concept_id = $concept))
LIMIT {PAGE_ROWS + 1} OFFSET $skip::BIGINT
"""  # noqa: S608 - a number is put in
_HEADS = """
SELECT doc_id, year, journal, lang,
       left(coalesce([p.text for p in passages if p.section = 'title'][1], passages[1].text, ''), 300) AS title
FROM documents WHERE doc_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY doc_id
"""
_TOP = """
SELECT type, entity, sum(mentions)::BIGINT AS mentions FROM entity_years WHERE rank <= 20
GROUP BY ALL ORDER BY mentions DESC, entity LIMIT 20
"""
_CONCEPT = "SELECT * FROM concepts WHERE concept_id = $concept"
_TEXTS = """
SELECT doc_id, [p.text for p in passages] AS texts
FROM documents WHERE doc_id IN (SELECT unnest($ids::VARCHAR[]))
"""
_NAMED = """
SELECT concept_id, name, vocabulary, mentions, documents FROM concepts
WHERE contains(lower(name), lower($words))
   OR concept_id IN (SELECT concept_id FROM concept_names WHERE text = lower($words))
ORDER BY mentions DESC, concept_id LIMIT 50
"""
_NAMES = "SELECT * FROM concept_names WHERE concept_id = $concept ORDER BY mentions DESC, text LIMIT 30"
_YEARS = """
SELECT coalesce(nullif(year, ''), 'unknown') AS year, documents
FROM concept_years WHERE concept_id = $concept ORDER BY year DESC LIMIT 60
"""
_NEIGHBOURS = """
SELECT * FROM concept_neighbours WHERE concept_id = $concept ORDER BY sentences DESC, other_id LIMIT 20
"""
_SUREST = """
SELECT * FROM concept_documents WHERE concept_id = $concept ORDER BY selector_score DESC, doc_id LIMIT 10
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
    """A concept as a store has it: itself, its names, documents by year, neighbours, and its surest mentions."""

    concept: _Row
    names: tuple[_Row, ...]
    years: tuple[_Row, ...]
    neighbours: tuple[_Row, ...]
    surest: tuple[_Row, ...]


def search_documents(session: QuerySession, wanted: DocumentSearch) -> FoundDocuments:
    """The documents that fit all that is asked for."""
    values = {name: getattr(wanted, name) for name in ("text", "id", "concept", "type", "journal", "year")}
    found = [one["doc_id"] for one in session.rows(_FOUND, values | {"skip": str(wanted.page * PAGE_ROWS)})]
    # Texts are looked up for the documents of the page alone: they are nearly all of what a snapshot holds.
    heads = session.rows(_HEADS, {"ids": found[:PAGE_ROWS]}) if found else []
    return FoundDocuments(tuple(heads), len(found) > PAGE_ROWS)


def top_entities(session: QuerySession) -> tuple[_Row, ...]:
    """The most mentioned entities."""
    return tuple(session.rows(_TOP))


def concept_view(session: QuerySession, concept: str) -> ConceptView | None:
    """All about one concept but its sentences, None where nothing is linked to it."""
    asked = {"concept": concept}
    found = session.rows(_CONCEPT, asked)
    if not found:
        return None
    names, years, neighbours, surest = (
        tuple(session.rows(sql, asked)) for sql in (_NAMES, _YEARS, _NEIGHBOURS, _SUREST)
    )
    return ConceptView(found[0], names, years, neighbours, surest)


def texts_of(session: QuerySession, doc_ids: Iterable[str]) -> dict[str, list[str]]:
    """The texts of the passages of documents."""
    return {one["doc_id"]: one["texts"] for one in session.rows(_TEXTS, {"ids": list(doc_ids)})}


def concepts_named(session: QuerySession, words: str) -> tuple[_Row, ...]:
    """Concepts whose name has these words, or that are called so in a text; the most mentioned first."""
    return tuple(session.rows(_NAMED, {"words": words}))
