-- The most mentioned concepts, whatever they are called: links of rank 1.
-- type: only mentions of this type; empty for all =
-- vocabulary: only this vocabulary; empty for all =
-- limit: how many concepts = 50
SELECT
    l.concept_id, any_value(l.name) AS name, count(*) AS mentions, count(DISTINCT m.doc_id) AS documents,
    count(DISTINCT lower(m.text)) AS names
FROM mentions AS m JOIN links AS l USING (mention_id)
WHERE l.rank = 1 AND l.concept_id IS NOT NULL AND $type IN ('', m.type) AND $vocabulary IN ('', l.vocabulary)
GROUP BY l.concept_id
ORDER BY mentions DESC, l.concept_id
LIMIT $limit::INTEGER
