-- How far concepts that mentions are linked to agree with the MeSH headings of the same documents, by month annotated.
-- type: only mentions of this type; empty for all =
-- limit: how many months and types = 1000
WITH indexed AS (
    SELECT DISTINCT doc_id, 'MESH:' || id AS concept_id
    FROM headings WHERE vocabulary IN ('mesh', 'mesh-chemical') AND id <> ''
),
meant AS (
    SELECT DISTINCT m.doc_id, m.type, l.concept_id
    FROM mentions AS m JOIN links AS l USING (mention_id)
    WHERE l.rank = 1 AND starts_with(l.concept_id, 'MESH:') AND $type IN ('', m.type)
),
linked AS (SELECT * FROM meant SEMI JOIN indexed USING (doc_id)),
expected AS (
    -- a heading counts for a type where some mention of that type, in whatever document, means it
    SELECT i.doc_id, k.type, i.concept_id
    FROM indexed AS i JOIN (SELECT DISTINCT type, concept_id FROM meant) AS k USING (concept_id)
),
compared AS (
    SELECT
        doc_id, type, concept_id, l.doc_id IS NOT NULL AS is_linked, e.doc_id IS NOT NULL AS is_heading
    FROM linked AS l FULL JOIN expected AS e USING (doc_id, type, concept_id)
)
SELECT
    left(s.committed, 7) AS month, c.type, count(DISTINCT c.doc_id) AS documents,
    count(*) FILTER (is_linked) AS linked, count(*) FILTER (is_heading) AS headings,
    count(*) FILTER (is_linked AND is_heading) AS agreeing,
    round(count(*) FILTER (is_linked AND is_heading) / nullif(count(*) FILTER (is_linked), 0), 4) AS share_of_linked,
    round(count(*) FILTER (is_linked AND is_heading) / nullif(count(*) FILTER (is_heading), 0), 4) AS share_of_headings
FROM compared AS c JOIN lineage AS o USING (doc_id) JOIN shards AS s USING (shard)
GROUP BY month, c.type
ORDER BY month DESC, c.type
LIMIT $limit::INTEGER
