-- What the selector turned down most often: how sure tagging and selector were, and the same name where it was accepted.
-- type: only this type; empty for all =
-- limit: how many entities = 50
SELECT
    label_set, type, entity, dropped, kept,
    round(mean_dropped_score, 3) AS mean_selector_score,
    round(best_dropped_score, 3) AS best_selector_score,
    round(least_kept_score, 3) AS least_accepted_score,
    round(mean_dropped_tag_score, 2) AS mean_tag_score,
    example
FROM entity_choices
WHERE $type IN ('', type)
ORDER BY dropped DESC, entity, type, label_set
LIMIT $limit::INTEGER
