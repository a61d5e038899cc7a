WITH sentences AS (
    SELECT DISTINCT doc_id, passage_index, sentence_index, type, lower(text) AS entity, start, "end" FROM mentions
),
in_documents AS (
    SELECT
        a.entity AS first_entity, a.type AS first_type, b.entity AS second_entity, b.type AS second_type,
        a.doc_id, count(DISTINCT (a.passage_index, a.sentence_index)) AS sentences
    FROM sentences AS a JOIN sentences AS b USING (doc_id, passage_index, sentence_index)
    WHERE
        (a.entity < b.entity OR (a.entity = b.entity AND a.type < b.type))
        -- a mention inside another is no co-mention: nested_entities has those
        AND (a."end" <= b.start OR b."end" <= a.start)
    GROUP BY ALL
),
-- PubMed's and PMC's copies of one article count once: those sentences of the copy that has most
articles AS ({articles}),
in_articles AS (
    SELECT first_entity, first_type, second_entity, second_type, article, max(sentences) AS sentences
    FROM in_documents JOIN articles USING (doc_id)
    GROUP BY ALL
)
SELECT first_entity, first_type, second_entity, second_type, sum(sentences)::BIGINT AS sentences, count(*) AS documents
FROM in_articles
GROUP BY first_entity, first_type, second_entity, second_type
ORDER BY sentences DESC, first_entity, second_entity, first_type, second_type
