-- The most mentioned entities of each type and year; documents without a year count unless years are given.
-- type: only this type; empty for all =
-- from_year: first year = 0
-- to_year: last year = 9999
-- limit: how many entities per type and year = 10
SELECT type, year, entity, mentions, documents
FROM entity_years
WHERE
    rank <= $limit::INTEGER AND $type IN ('', type)
    AND (
        ($from_year = '0' AND $to_year = '9999')
        OR try_cast(year AS INTEGER) BETWEEN $from_year::INTEGER AND $to_year::INTEGER
    )
ORDER BY type, year, rank
