"""The pages of a store: each a function from a request to HTML, in a session of its own that ends with it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Any

import pyarrow as pa
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bioner_core.concepts.concept import concept_address, document_address
from bioner_core.errors import ConfigurationError
from bioner_core.linking.linked_documents import with_own_concepts
from bioner_core.report.figures import report_figures
from bioner_core.report.page import render_report
from bioner_core.site.searches import (
    ConceptView,
    DocumentSearch,
    concept_view,
    concepts_named,
    search_documents,
    texts_of,
    top_entities,
)
from bioner_core.site.sessions import SessionLimits, SessionPool
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.store.query.answers import answer_rows, word_of
from bioner_core.store.query.named_queries import NamedQuery, named_queries, named_query
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.query.query_views import VIEWS
from bioner_core.store.snapshot.run_history import RunHistory
from bioner_core.store.snapshot.snapshot_manifest import current_id, read_snapshot_manifest
from bioner_core.viewer.page import render_page
from bioner_core.viewer.templates import page_environment

SHOWN_ROWS = 500
"""Rows of an answer that a page shows; a download has all."""

AROUND = 120
"""Characters of an example on either side of its mention."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What is served, and what one question may take: memory in bytes, time in seconds, questions at once."""

    store: Store
    memory_bytes: int
    seconds: float
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a page shows it: its head, its first rows as words, and whether there are more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_more: bool


class Pages:
    """The pages of one store. `history` tells of its runs."""

    def __init__(self, settings: SiteSettings, *, history: Callable[[Store], RunHistory]) -> None:
        self._settings = settings
        self._history = history
        limits = SessionLimits(settings.memory_bytes, settings.seconds, settings.at_once)
        self._sessions = SessionPool(settings.store, limits)
        self._report = "", ""
        self._reporting = Lock()
        self._templates = page_environment("bioner_core.site")

    def session(self) -> AbstractContextManager[QuerySession]:
        """A session for one page; no more than the settings allow are lent at once."""
        return self._sessions.session()

    def home(self, request: Request) -> Response:
        """Counts, the search form, and the most mentioned entities."""
        with self.session() as session:
            top = top_entities(session)
            origin = session.origin
        counts = read_snapshot_manifest(self._settings.store, origin)
        return self._page("home.html.j2", counts=counts, top=top, origin=origin, wanted=DocumentSearch())

    def documents(self, request: Request) -> Response:
        """The documents that a search finds."""
        wanted = _search_of(request.query_params)
        with self.session() as session:
            found = search_documents(session, wanted)
        fields = {name: value for name, value in request.query_params.items() if name != "page"}
        return self._page("documents.html.j2", wanted=wanted, found=found, fields=fields)

    def document(self, request: Request) -> Response:
        """One document with its mentions, and what they are linked to."""
        doc_id = request.query_params.get("id", "")
        newest = open_newest(self._settings.store)
        found = newest.document(doc_id)
        if found is None:
            return self.told(f"There is no document {doc_id!r} in the newest state of the store.", 404)
        found = with_own_concepts(self._settings.store, found)
        about = self._templates.get_template("links.html.j2")
        below = Markup(about.render(links=_links_of(found), source=document_address(doc_id)))  # noqa: S704 - escaped there
        return HTMLResponse(render_page(found, origin=newest.origin, above=self._navigation(), below=below))

    def concept(self, request: Request) -> Response:
        """One concept by its id: names, years, neighbours, sentences; or the concepts of a name."""
        concept = request.query_params.get("id", "").strip()
        with self.session() as session:
            found = concept_view(session, concept)
            named = concepts_named(session, concept) if found is None and concept else ()
            texts = texts_of(session, (one["doc_id"] for one in found.surest)) if found else {}
        if named:
            return self._page("concepts.html.j2", words=concept, named=named)
        if found is None:
            return self.told(f"No mention is linked to {concept!r}. `bioner link` links the mentions of a store.", 404)
        examples = tuple(_examples(found, texts))
        return self._page("concept.html.j2", found=found, examples=examples, source=concept_address(concept))

    def questions(self, request: Request) -> Response:
        """The ready questions, and the box for SQL."""
        return self._page("questions.html.j2", questions=named_queries(), views=VIEWS)

    def answer(self, request: Request) -> Response:
        """The answer to a ready question or to SQL, as a table."""
        asked = question_of(request.query_params)
        with self.session() as session:
            shown = _shown(asked.ask(session))
        return self._page("answer.html.j2", asked=asked, shown=shown, query=str(request.url.query), most=SHOWN_ROWS)

    def runs(self, request: Request) -> Response:
        """The report: runs, drift, types, scores, rejects; made once for each snapshot, for it reads all mentions."""
        with self._reporting:
            if self._report[0] != (current_id(self._settings.store) or ""):
                self._report = self._reported()
            return HTMLResponse(self._report[1])

    def _reported(self) -> tuple[str, str]:
        """The snapshot that the report is of, and its page."""
        one = self._settings
        memory, history = one.memory_bytes // one.at_once, self._history(one.store)
        with query_session(one.store, memory_bytes=memory, seconds=one.seconds, history=history) as session:
            figures = report_figures(session, run=None)
            return session.origin, render_report(figures, above=self._navigation())

    def told(self, message: str, status: int = 400) -> Response:
        """A page with one message."""
        return self._page("told.html.j2", status=status, message=message)

    def _navigation(self) -> Markup:
        return Markup(self._templates.get_template("navigation.html.j2").render())  # noqa: S704 - holds no text of dumps

    def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(**values), status)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: a ready question with its values, or SQL."""

    sql: str
    named: NamedQuery | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def ask(self, session: QuerySession) -> pa.RecordBatchReader:
        """The answer.

        Raises:
            ConfigurationError: it is not one SELECT, DuckDB refuses it, or it took too long.
        """
        return session.ask(self.sql, self.values)


def question_of(given: Mapping[str, str]) -> Question:
    """The question that a form has sent: `name` and its parameters, or `sql`.

    Raises:
        ConfigurationError: there is no such question, or a parameter is missing or not of its kind.
    """
    if "name" not in given:
        if not given.get("sql", "").strip():
            raise ConfigurationError("nothing was asked: write one SELECT, or take a ready question")
        return Question(given["sql"])
    named = named_query(given["name"])
    known = {one.name for one in named.parameters}
    values = named.bound({name: value.strip() for name, value in given.items() if name in known and value.strip()})
    return Question(named.sql, named, values)


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """What a document says in one text of one type, and what that is linked to."""

    text: str
    type: str
    concept_id: str
    name: str
    mentions: int


@dataclass(frozen=True, slots=True)
class ConceptExample:
    """A mention of a concept with the text around it."""

    doc_id: str
    before: str
    text: str
    after: str


def _links_of(found: DocumentMentions) -> list[DocumentLink]:
    """Each text that is linked, the most frequent first."""
    linked = ((one, found.concepts[one.mention_id]) for one in found.mentions if one.mention_id in found.concepts)
    counts = Counter((one.text, one.type, to.concept_id, to.name) for one, to in linked if one.accepted)
    return [DocumentLink(*key, count) for key, count in counts.most_common()]


def _examples(found: ConceptView, texts: Mapping[str, Sequence[str]]) -> Iterator[ConceptExample]:
    for one in found.surest:
        text, start, end = texts[one["doc_id"]][one["passage_index"]], one["start"], one["end"]
        before, after = text[max(start - AROUND, 0) : start], text[end : end + AROUND]
        yield ConceptExample(one["doc_id"], before, text[start:end], after)


def _search_of(given: Mapping[str, str]) -> DocumentSearch:
    page = given.get("page", "0")
    if not (page.isascii() and page.isdecimal() and len(page) < 9):
        raise ConfigurationError(f"page: {page!r} is not a page number")
    words = {name: given.get(name, "").strip() for name in ("text", "id", "concept", "type", "journal", "year")}
    return DocumentSearch(**words, page=int(page))


def _shown(answer: pa.RecordBatchReader) -> Answer:
    rows = answer_rows(answer)
    first = tuple(tuple(map(word_of, row)) for row in islice(rows, SHOWN_ROWS))
    return Answer(tuple(answer.schema.names), first, next(rows, None) is not None)
