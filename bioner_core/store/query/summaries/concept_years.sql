SELECT l.concept_id, d.year, count(*) AS documents
FROM (SELECT DISTINCT concept_id, doc_id FROM linked_mentions) AS l JOIN documents AS d USING (doc_id)
GROUP BY ALL
ORDER BY l.concept_id, d.year
