WITH in_documents AS (
    SELECT type, lower(text) AS entity, doc_id, count(*) AS mentions FROM mentions GROUP BY ALL
),
counted AS (
    SELECT i.type, d.year, i.entity, sum(i.mentions)::BIGINT AS mentions, count(*) AS documents
    FROM in_documents AS i JOIN documents AS d USING (doc_id)
    GROUP BY ALL
)
SELECT type, year, entity, mentions, documents,
    row_number() OVER (PARTITION BY type, year ORDER BY mentions DESC, entity) AS rank
FROM counted
ORDER BY rank, type, year
