-- The most mentioned entities of each type over all years, in one list per type; documents without a year count.
-- type: only this type; empty for all =
-- limit: how many entities per type = 10
SELECT type, entity, sum(mentions)::BIGINT AS mentions, sum(documents)::BIGINT AS documents
FROM entity_years
WHERE $type IN ('', type)
GROUP BY type, entity
QUALIFY row_number() OVER (PARTITION BY type ORDER BY sum(mentions) DESC, entity) <= $limit::INTEGER
ORDER BY type, mentions DESC, entity
