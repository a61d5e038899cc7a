"""A state that several models made: how many documents each has, and views of one of them alone."""

import duckdb

from bioner_core.store.query.query_views import HEADINGS
from bioner_core.store.query.summaries import make_summary_views

_SCHEMA = "one_model"

_COUNT = """
SELECT s.fingerprint, count(*) FROM main.lineage AS l JOIN main.shards AS s USING (shard)
GROUP BY ALL ORDER BY count(*) DESC, s.fingerprint
"""
_VIEWS = """
CREATE SCHEMA one_model;
CREATE VIEW one_model.shards AS SELECT s.* FROM main.shards AS s SEMI JOIN main.wanted_model AS w USING (fingerprint);
CREATE VIEW one_model.lineage AS SELECT l.* FROM main.lineage AS l SEMI JOIN one_model.shards AS s USING (shard);
CREATE VIEW one_model.documents AS
SELECT d.* FROM main.documents AS d SEMI JOIN one_model.lineage AS l USING (doc_id, version);
CREATE VIEW one_model.candidates AS
SELECT c.* FROM main.candidates AS c
SEMI JOIN one_model.lineage AS l ON c.doc_id = l.doc_id AND c.doc_version = l.version;
CREATE VIEW one_model.mentions AS SELECT * EXCLUDE (accepted) FROM one_model.candidates WHERE accepted;
CREATE VIEW one_model.rejects AS SELECT r.* FROM main.rejects AS r SEMI JOIN one_model.shards AS s USING (shard);
"""


def model_documents(database: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many of the newest documents each fingerprint made, the most first."""
    [shards] = database.sql("SELECT count(DISTINCT fingerprint), min(fingerprint) FROM main.shards").fetchall()
    if shards[0] == 1:  # nearly always, and then nothing need be joined
        [(documents,)] = database.sql("SELECT count(*) FROM main.lineage").fetchall()
        return {str(shards[1]): int(documents)}
    return {str(fingerprint): int(count) for fingerprint, count in database.sql(_COUNT).fetchall()}


def only_of_model(database: duckdb.DuckDBPyConnection, fingerprint: str) -> None:
    """From here on the names of views mean what this model made; the ready counts are made when they are asked."""
    database.execute("CREATE TABLE main.wanted_model (fingerprint VARCHAR)")
    database.execute("INSERT INTO main.wanted_model VALUES ($wanted)", {"wanted": fingerprint})
    database.execute(_VIEWS)
    database.execute(HEADINGS.format(schema=_SCHEMA))
    database.execute(f"SET search_path = '{_SCHEMA},main'")
    make_summary_views(database)
