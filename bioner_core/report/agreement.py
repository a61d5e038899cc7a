"""How far linked concepts agree with the MeSH headings of their documents, by month: a drift alarm without gold.

NLM's indexers read the whole article and name its topics, while mentions are of all that the text names: neither share
is near 1, and what counts is whether they stay where they were. A report is about the newest
state as a whole, or about the part of it that one run made.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bioner_core.store.query.named_queries import named_query
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
            return self.session.rows(question.format(**{name: name for name in _OF_RUN}))
        names = {name: sql.format(documents=_DOCUMENTS) for name, sql in _OF_RUN.items()}
        return self.session.rows(question.format(**names), {"run": self.run})

    def ask_one(self, question: str) -> Row:
        """The one row of an answer.

        Raises:
            ConfigurationError: as `ask`.
        """
        [row] = self.ask(question)
        return row


LEAST_HEADINGS = 200
"""With fewer in the newest month, or in all months before it, nothing is judged."""

LARGE_CHANGE = 0.10
"""From here on a change of a share is a reason to look."""

_SHARES = {"share_of_linked": "linked", "share_of_headings": "headings"}
_SHOWN = "1000"


def agreement_of(session: QuerySession) -> dict[str, Any] | None:
    """Rows by month and type, and the newest month of each type against those before it together; None without rows.

    A change is a difference of shares, None where there is nothing before; `large` only where both sides have enough.

    Raises:
        ConfigurationError: DuckDB refuses the question.
    """
    query = named_query("heading_agreement")
    months = session.rows(query.sql, query.bound({"limit": _SHOWN}))
    if not months:
        return None
    by_type: dict[str, list[Row]] = defaultdict(list)
    for row in months:
        by_type[row["type"]].append(row)
    changes = [_change(name, rows) for name, rows in sorted(by_type.items())]
    return {"months": months, "changes": changes, "large": any(one["large"] for one in changes)}


def _change(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    newest, before = rows[0], rows[1:]
    judged = min(newest["headings"], sum(row["headings"] for row in before)) >= LEAST_HEADINGS
    changes = {share: _difference(newest, before, whole) for share, whole in _SHARES.items()}
    large = judged and any(value is not None and abs(value) >= LARGE_CHANGE for value in changes.values())
    return {"type": name, "month": newest["month"], **changes, "judged": judged, "large": large}


def _difference(newest: Row, before: Sequence[Row], whole: str) -> float | None:
    total = sum(row[whole] for row in before)
    if not total or not newest[whole]:
        return None
    share = newest["agreeing"] / newest[whole] - sum(row["agreeing"] for row in before) / total
    return round(float(share), 4)
