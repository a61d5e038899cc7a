-- Retractions, errata and other notices that concern a document, with how many accepted mentions it has.
-- kind: such as RetractionIn; empty for all =
-- limit: how many notices = 100
WITH noticed AS (
    SELECT doc_id, year, notice.kind AS kind, notice.reference AS reference, notice.doc_id AS notice_doc_id
    FROM (SELECT doc_id, year, unnest(meta.corrections) AS notice FROM documents)
)
SELECT
    n.doc_id, n.year, n.kind, n.reference, n.notice_doc_id,
    (SELECT count(*) FROM mentions AS m WHERE m.doc_id = n.doc_id) AS mentions
FROM noticed AS n
WHERE $kind IN ('', n.kind)
ORDER BY n.doc_id, n.kind, n.reference
LIMIT $limit::INTEGER
