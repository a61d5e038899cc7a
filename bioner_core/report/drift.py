"""How the mentions of a run differ from those of the run before: types, scores, rejects.

Both runs are seen in the newest state: a document that a later run annotated again counts for that one. A difference is
large from a threshold on, and is judged only where both runs have enough to judge by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.report.agreement import Row, Scope
from bioner_core.store.query.query_session import QuerySession

LEAST_MENTIONS, LEAST_RECORDS = 200, 100
"""With fewer in one of the runs nothing is judged: chance alone makes large differences."""

LARGE_SHARE, LARGE_REJECTS, LARGE_RATIO = 0.10, 0.02, 1.25

_PAIR = """
SELECT r.run_id FROM shards AS s JOIN runs AS r USING (run_id)
GROUP BY r.run_id HAVING sum(s.annotated + s.rejected) > 0 ORDER BY max(r.started) DESC, r.run_id DESC
"""
_TYPES = """
SELECT label_set || ' ' || type AS name, count(*) AS number FROM {candidates} WHERE accepted GROUP BY ALL
"""
_SCORES = """
SELECT least(floor(selector_score * 50), 49)::INTEGER AS name, count(*) AS number
FROM {candidates} WHERE coalesce(origin, 'decoder') = 'decoder' GROUP BY ALL
"""
_RATES = """
SELECT (SELECT count(*) FROM {documents}) AS documents, count(*) AS candidates, count(*) FILTER (accepted) AS accepted,
    (SELECT coalesce(sum(records_in), 0)::BIGINT FROM {shards}) AS records,
    (SELECT coalesce(sum(rejected), 0)::BIGINT FROM {shards}) AS rejected
FROM {candidates}
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One comparison: `value` is None where there is nothing to compare; `large` is a reason to look."""

    name: str
    value: float | None
    threshold: float
    judged: bool
    large: bool


def drift_of(session: QuerySession, *, run: str | None) -> dict[str, Any] | None:
    """The run (None: the last one that wrote something) against the one before it; None where there is no such pair."""
    ids = [row["run_id"] for row in session.rows(_PAIR)]
    place = ids.index(run) if run in ids else 0
    if place + 1 >= len(ids) or (run is not None and run not in ids):
        return None
    new, old = Scope(session, ids[place]), Scope(session, ids[place + 1])
    differences = _differences(new, old)
    return {
        "run": new.run,
        "previous_run": old.run,
        "large": any(one.large for one in differences),
        "differences": [asdict(one) for one in differences],
    }


def _differences(new: Scope, old: Scope) -> list[Difference]:
    rates = [scope.ask_one(_RATES) for scope in (new, old)]
    types = [_shares(scope.ask(_TYPES)) for scope in (new, old)]
    scores = [_shares(scope.ask(_SCORES)) for scope in (new, old)]
    enough = all(one["candidates"] >= LEAST_MENTIONS for one in rates)
    enough_records = all(one["records"] >= LEAST_RECORDS for one in rates)
    accepted = _difference(rates, "accepted", "candidates")
    rejected = _difference(rates, "rejected", "records")
    density = _ratio(rates)
    return [
        _judged("mentions of another type, share", total_variation(*types), LARGE_SHARE, enough),
        _judged("selector scores, largest gap of the distributions", largest_gap(*scores), LARGE_SHARE, enough),
        _judged("accepted candidates, change of the share", accepted, LARGE_SHARE, enough),
        _judged("mentions per document, ratio", density, LARGE_RATIO, enough),
        _judged("rejected records, change of the share", rejected, LARGE_REJECTS, enough_records),
    ]


def _judged(name: str, value: float | None, threshold: float, enough: bool) -> Difference:
    large = enough and value is not None and abs(value) >= threshold
    return Difference(name, None if value is None else round(value, 4), threshold, enough, large)


def _shares(rows: Sequence[Row]) -> dict[Any, float]:
    total = sum(row["number"] for row in rows)
    return {row["name"]: row["number"] / total for row in rows}


def total_variation(new: Mapping[Any, float], old: Mapping[Any, float]) -> float | None:
    """The share that would have to move to make one distribution the other; 0 to 1, None where one is empty."""
    if not new or not old:
        return None
    return sum(abs(new.get(name, 0.0) - old.get(name, 0.0)) for name in new.keys() | old.keys()) / 2


def largest_gap(new: Mapping[int, float], old: Mapping[int, float]) -> float | None:
    """The largest distance of two cumulated distributions over ordered bins; 0 to 1, None where one is empty."""
    if not new or not old:
        return None
    gap, distance = 0.0, 0.0
    for name in sorted(new.keys() | old.keys()):
        distance += new.get(name, 0.0) - old.get(name, 0.0)
        gap = max(gap, abs(distance))
    return gap


def _difference(rates: Sequence[Row], part: str, whole: str) -> float | None:
    if not all(one[whole] for one in rates):
        return None
    new, old = (one[part] / one[whole] for one in rates)
    return float(new - old)


def _ratio(rates: Sequence[Row]) -> float | None:
    """How many times more mentions there are per document in the one run than in the other, never below 1."""
    if not all(one["documents"] and one["accepted"] for one in rates):
        return None
    new, old = (one["accepted"] / one["documents"] for one in rates)
    return float(max(new / old, old / new))
