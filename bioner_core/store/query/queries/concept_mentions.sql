-- The mentions of one concept, in whatever words and language.
-- concept: its id, such as MESH:D003924
-- limit: how many mentions = 100
SELECT m.doc_id, m.section, m.lang, m.start, m."end", m.text, m.type, l.method, l.score, m.selector_score
FROM mentions AS m JOIN links AS l USING (mention_id)
WHERE l.rank = 1 AND l.concept_id = $concept
ORDER BY m.doc_id, m.passage_index, m.start
LIMIT $limit::INTEGER
