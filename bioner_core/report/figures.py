"""The figures of a report: plain values, the same in `--json` and on the page."""

from typing import Any

from bioner_core.errors import ConfigurationError
from bioner_core.report.agreement import Row, Scope, agreement_of
from bioner_core.report.drift import drift_of
from bioner_core.store.manifest import Counts, loss_lines
from bioner_core.store.query.query_session import QuerySession

SHOWN_RUNS = 10

_COUNTS = """
SELECT count(*) AS shards, coalesce(sum(records_in), 0)::BIGINT AS records_in,
    coalesce(sum(annotated), 0)::BIGINT AS annotated, coalesce(sum(unchanged), 0)::BIGINT AS unchanged,
    coalesce(sum(deleted), 0)::BIGINT AS deleted, coalesce(sum(rejected), 0)::BIGINT AS rejected,
    coalesce(sum(sentences), 0)::BIGINT AS sentences, coalesce(sum(row_rejects), 0)::BIGINT AS row_rejects,
    coalesce(sum(seconds), 0)::DOUBLE AS seconds
FROM {shards}
"""
# As JSON, because a snapshot of an earlier version lacks these columns.
_LOSSES = """
SELECT
    coalesce(sum((to_json(s) ->> 'lost_bytes')::BIGINT), 0)::BIGINT AS lost_bytes,
    coalesce(sum((to_json(s) ->> 'lost_records')::BIGINT), 0)::BIGINT AS lost_records,
    coalesce(sum((to_json(s) ->> 'not_sent')::BIGINT), 0)::BIGINT AS not_sent,
    coalesce(sum((to_json(s) ->> 'lossy')::BIGINT), 0)::BIGINT AS lossy,
    coalesce(sum((to_json(s) ->> 'lost_characters')::BIGINT), 0)::BIGINT AS lost_characters
FROM (SELECT * FROM {shards}) AS s
"""
_STATE = """
SELECT count(*) AS candidates, count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (accepted AND depth > 0) AS nested, (SELECT count(*) FROM {documents}) AS documents
FROM {candidates}
"""
_TYPES = """
SELECT label_set, type, count(*) FILTER (accepted) AS accepted, count(*) FILTER (NOT accepted) AS turned_down
FROM {candidates} GROUP BY ALL ORDER BY accepted DESC, label_set, type
"""
# What the document pass proposes has no score of the selector: these are of the decoder's candidates alone.
_SELECTOR_SCORES = """
SELECT least(floor(selector_score * 10), 9)::INTEGER AS tenth, count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (NOT accepted) AS turned_down
FROM {candidates} WHERE coalesce(origin, 'decoder') = 'decoder' GROUP BY ALL ORDER BY tenth
"""
_TAG_SCORES = """
SELECT greatest(least(floor(tag_score), 9), -3)::INTEGER AS floor, count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (NOT accepted) AS turned_down
FROM {candidates} WHERE coalesce(origin, 'decoder') = 'decoder' GROUP BY ALL ORDER BY floor
"""
_DEPTHS = "SELECT depth, count(*) AS mentions FROM {candidates} WHERE accepted GROUP BY ALL ORDER BY depth"
_REJECTS = """
SELECT stage, reason, count(*) AS rejects, any_value(message) AS example
FROM {rejects} GROUP BY ALL ORDER BY rejects DESC, stage, reason
"""
_TOP = """
SELECT lower(text) AS entity, type, label_set, count(*) AS mentions, count(DISTINCT doc_id) AS documents,
    avg(selector_score) AS selector_score
FROM {candidates} WHERE accepted GROUP BY ALL ORDER BY mentions DESC, entity, type, label_set LIMIT 25
"""
_NEWEST = """
SELECT d.doc_id, d.version, d.year, d.journal, left(d.passages[1].text, 300) AS title, s.committed, s.input_file
FROM {documents} AS d JOIN lineage AS l ON d.doc_id = l.doc_id AND d.version = l.version
JOIN shards AS s USING (shard)
ORDER BY s.committed DESC, l.record_number DESC, d.doc_id LIMIT 20
"""
_MODELS = """
SELECT fingerprint, software_version, count(*) AS shards, max(committed) AS last_commit
FROM {shards} GROUP BY ALL ORDER BY last_commit DESC, fingerprint
"""
_NEWEST_MODEL = """
SELECT fingerprint, sum(seconds) AS seconds, sum(annotated)::BIGINT AS annotated
FROM shards GROUP BY fingerprint ORDER BY max(committed) DESC, fingerprint LIMIT 1
"""
_RUNS = """
SELECT run_id, job, started, seconds, shards_committed, records_in, annotated, rejected, mentions, mentions_accepted
FROM runs ORDER BY started DESC, run_id DESC
"""


def report_figures(session: QuerySession, *, run: str | None = None) -> dict[str, Any]:
    """All figures of the newest state, or of what one run made of it, and how that differs from the run before.

    Raises:
        ConfigurationError: no run has that id.
        StoreError: the store cannot be read.
    """
    scope = Scope(session, run)
    runs = session.rows(_RUNS)
    if run is not None and run not in {one["run_id"] for one in runs}:
        known = ", ".join(one["run_id"] for one in runs[:SHOWN_RUNS]) or "none"
        raise ConfigurationError(f"--run: {run!r} is not a run of this store; the last ones are: {known}")
    counts = scope.ask_one(_COUNTS)
    losses = scope.ask_one(_LOSSES)
    return {
        "origin": f"snapshot:{session.origin}" if session.origin else "shards",
        "run": run,
        "counts": counts | losses | scope.ask_one(_STATE),
        "losses": loss_lines(Counts(**losses)),
        "throughput": _throughput(counts),
        "types": scope.ask(_TYPES),
        "selector_scores": scope.ask(_SELECTOR_SCORES),
        "tag_scores": scope.ask(_TAG_SCORES),
        "depths": scope.ask(_DEPTHS),
        "rejects": scope.ask(_REJECTS),
        "top_entities": scope.ask(_TOP),
        "newest_documents": scope.ask(_NEWEST),
        "models": scope.ask(_MODELS),
        "reannotation": _reannotation(session),
        "runs": runs[:SHOWN_RUNS],
        "drift": drift_of(session, run=run),
        "heading_agreement": agreement_of(session),
    }


def _reannotation(session: QuerySession) -> dict[str, Any] | None:
    """What it would cost to give all documents the newest model; None where one model made them all.

    The seconds are those of the newest model's own shards for a document, of one actor after another; None where none
    of its documents was timed.
    """
    if len(session.models) < 2:
        return None
    [newest] = session.rows(_NEWEST_MODEL)
    documents = sum(session.models.values()) - session.models.get(newest["fingerprint"], 0)
    pace = newest["seconds"] / newest["annotated"] if newest["annotated"] else None
    return {
        "fingerprint": newest["fingerprint"],
        "documents": documents,
        "seconds": None if pace is None else round(documents * pace, 1),
        "documents_by_model": dict(session.models),
    }


def _throughput(counts: Row) -> dict[str, float | None]:
    """Documents and sentences per second of work, summed over shards; None where nothing was timed."""
    seconds = counts["seconds"]
    sentences = round(counts["sentences"] / seconds, 2) if seconds else None
    return {
        "documents_per_second": round(counts["annotated"] / seconds, 2) if seconds else None,
        "sentences_per_second": sentences,
        "sentences_a_second": sentences,  # its first name: keys of --json do not change
    }
