-- Pairs of different concepts in one sentence, none inside the other, counted in sentences and articles.
-- concept: only pairs with this concept; empty for all =
-- limit: how many pairs = 50
WITH wanted AS (
    SELECT * FROM concept_neighbours
    WHERE concept_id = $concept OR ($concept = '' AND concept_id < other_id)
    ORDER BY sentences DESC, least(concept_id, other_id), greatest(concept_id, other_id)
    LIMIT $limit::INTEGER
)
SELECT
    least(w.concept_id, w.other_id) AS first_concept,
    CASE WHEN w.concept_id < w.other_id THEN c.name ELSE w.other_name END AS first_name,
    greatest(w.concept_id, w.other_id) AS second_concept,
    CASE WHEN w.concept_id < w.other_id THEN w.other_name ELSE c.name END AS second_name,
    w.sentences, w.documents
FROM wanted AS w JOIN concepts AS c USING (concept_id)
ORDER BY w.sentences DESC, first_concept, second_concept
