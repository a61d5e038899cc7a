WITH surest AS (
    SELECT
        concept_id, doc_id, count(*) AS mentions,
        arg_min(
            {passage: passage_index, "start": start, "end": "end", score: selector_score},
            (-selector_score, passage_index, start)
        ) AS one
    FROM linked_mentions
    GROUP BY ALL
)
SELECT
    concept_id, doc_id, mentions, one.score AS selector_score, one.passage AS passage_index, one."start" AS start,
    one."end" AS "end"
FROM surest
ORDER BY concept_id, doc_id
