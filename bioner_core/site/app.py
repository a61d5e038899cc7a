"""The ASGI application: which address has which page, downloads, and what an error looks like."""

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bioner_core.errors import BionerError, ConfigurationError
from bioner_core.site.guard import Access, Guard
from bioner_core.site.pages import Pages, SiteSettings, question_of
from bioner_core.store.layout import Store
from bioner_core.store.query.answers import write_csv, write_parquet
from bioner_core.store.snapshot.run_history import RunHistory

_LOG = logging.getLogger(__name__)


def make_app(settings: SiteSettings, access: Access, *, history: Callable[[Store], RunHistory]) -> Starlette:
    """The application that serves a store to whoever has the token of `access`.

    The store is opened here, so that its first page does not wait for that.

    Raises:
        StoreError: the store is damaged.
    """
    pages = Pages(settings, history=history)
    with pages.session():
        pass
    downloads = _Downloads(pages)
    routes = [
        Route("/", pages.home),
        Route("/documents", pages.documents),
        Route("/document", pages.document),
        Route("/concept", pages.concept),
        Route("/questions", pages.questions),
        Route("/answer", pages.answer),
        Route("/answer.csv", downloads.csv),
        Route("/answer.parquet", downloads.parquet),
        Route("/runs", pages.runs),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={
            BionerError: lambda _, error: _told(pages, error),
            404: lambda _, error: pages.told("There is no such page.", 404),
        },
    )


class _Downloads:
    """Answers as files, written whole before the first byte goes out: an error is then still an error."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def csv(self, request: Request) -> Response:
        return self._download(request, "csv", "text/csv; charset=utf-8", _write_csv)

    def parquet(self, request: Request) -> Response:
        return self._download(request, "parquet", "application/vnd.apache.parquet", write_parquet)

    def _download(
        self, request: Request, suffix: str, kind: str, write: Callable[[pa.RecordBatchReader, Path], None]
    ) -> Response:
        asked = question_of(request.query_params)
        handle, name = tempfile.mkstemp(prefix="bioner-answer-", suffix=f".{suffix}")
        os.close(handle)
        path = Path(name)
        try:
            with self._pages.session() as session:
                write(asked.ask(session), path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        shown = f"{asked.named.name if asked.named else 'answer'}.{suffix}"
        return FileResponse(path, media_type=kind, filename=shown, background=BackgroundTask(path.unlink))


def _write_csv(answer: pa.RecordBatchReader, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(answer, stream)


def _told(pages: Pages, error: Exception) -> Response:
    """What the user did wrong is said; what is wrong with the store is said and logged."""
    if isinstance(error, ConfigurationError):
        return pages.told(str(error))
    _LOG.error("%s", error)
    return pages.told(str(error), 500)
