"""What a report is about: the newest state as a whole, or the part of it that one run made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioner_core.store.query.query_session import QuerySession

Row = dict[str, Any]

_OF_RUN = {
    "candidates": "(SELECT c.* FROM candidates AS c SEMI JOIN {documents} AS d ON c.doc_id = d.doc_id)",
    "documents": "(SELECT o.* FROM documents AS o SEMI JOIN {documents} AS d ON o.doc_id = d.doc_id)",
    "rejects": "(SELECT * FROM rejects WHERE shard IN (SELECT shard FROM shards WHERE run_id = $run))",
    "shards": "(SELECT * FROM shards WHERE run_id = $run)",
}
_DOCUMENTS = "(SELECT l.doc_id FROM lineage AS l JOIN shards AS s USING (shard) WHERE s.run_id = $run)"


@dataclass(frozen=True, slots=True)
class Scope:
    """Asks questions of a part of the store; `run` None means the whole."""

    session: QuerySession
    run: str | None = None

    def ask(self, question: str) -> list[Row]:
        """The rows of an answer; `{candidates}`, `{documents}`, `{rejects}` and `{shards}` stand for the scope's own.

        Raises:
            ConfigurationError: DuckDB refuses the question.
        """
        if self.run is None:
            return rows_of(self.session, question.format(**{name: name for name in _OF_RUN}))
        names = {name: sql.format(documents=_DOCUMENTS) for name, sql in _OF_RUN.items()}
        return rows_of(self.session, question.format(**names), {"run": self.run})

    def ask_one(self, question: str) -> Row:
        """The one row of an answer.

        Raises:
            ConfigurationError: as `ask`.
        """
        [row] = self.ask(question)
        return row


def rows_of(session: QuerySession, question: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of the answer to a question about the whole store, all in memory.

    Raises:
        ConfigurationError: DuckDB refuses the question.
    """
    found: list[Row] = session.ask(question, parameters).read_all().to_pylist()
    return found
