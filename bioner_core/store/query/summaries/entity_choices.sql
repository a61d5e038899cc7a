WITH retyped AS (
    SELECT false AS accepted, doc_id, passage_index, start, "end", label_set, tag_score, selector_score
    FROM candidates WHERE candidates.accepted AND origin = 'repeat'
)
SELECT
    label_set, type, lower(text) AS entity,
    count(*) FILTER (NOT accepted) AS dropped,
    count(*) FILTER (accepted) AS kept,
    avg(selector_score) FILTER (NOT accepted) AS mean_dropped_score,
    max(selector_score) FILTER (NOT accepted) AS best_dropped_score,
    min(selector_score) FILTER (accepted) AS least_kept_score,
    avg(tag_score) FILTER (NOT accepted) AS mean_dropped_tag_score,
    min(mention_id) FILTER (NOT accepted) AS example
FROM candidates
-- what the document pass turns down, to propose it under another type with the same scores, is no choice of the selector
ANTI JOIN retyped USING (accepted, doc_id, passage_index, start, "end", label_set, tag_score, selector_score)
-- nor is what it proposes beside them
WHERE coalesce(origin, 'decoder') = 'decoder'
GROUP BY label_set, type, entity
HAVING dropped > 0
ORDER BY dropped DESC, entity, type, label_set
