-- Pairs of different concepts in one sentence, counted in sentences and documents.
-- concept: only pairs with this concept; empty for all =
-- limit: how many pairs = 50
WITH placed AS (
    SELECT DISTINCT m.doc_id, m.passage_index, m.sentence_index, m.start, m."end", l.concept_id, l.name
    FROM mentions AS m JOIN links AS l USING (mention_id)
    WHERE l.rank = 1 AND l.concept_id IS NOT NULL
)
SELECT
    a.concept_id AS first_concept, any_value(a.name) AS first_name, b.concept_id AS second_concept,
    any_value(b.name) AS second_name,
    count(DISTINCT (a.doc_id, a.passage_index, a.sentence_index)) AS sentences, count(DISTINCT a.doc_id) AS documents
FROM placed AS a JOIN placed AS b USING (doc_id, passage_index, sentence_index)
WHERE
    a.concept_id < b.concept_id AND (a."end" <= b.start OR b."end" <= a.start)
    AND $concept IN ('', a.concept_id, b.concept_id)
GROUP BY a.concept_id, b.concept_id
ORDER BY sentences DESC, first_concept, second_concept
LIMIT $limit::INTEGER
