SELECT
    concept_id, min(vocabulary) AS vocabulary, min(name) AS name, count(*) AS mentions,
    count(DISTINCT doc_id) AS documents
FROM linked_mentions
GROUP BY concept_id
ORDER BY concept_id
